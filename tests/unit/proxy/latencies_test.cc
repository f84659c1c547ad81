#include "proxy/commands/latencies.h"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using zap::Duration;
using zap::Latencies;

TEST_CASE("latencies: of no calls every quantile is zero") {
  CHECK(Latencies().quantile(0.99) == 0ns);
}

TEST_CASE("latencies: small ones are kept exactly") {
  Latencies latencies;
  for (int ns = 0; ns < 50; ++ns) latencies.record(Duration(ns));
  CHECK(latencies.quantile(0.5) == 25ns);
  CHECK(latencies.max() == 49ns);
}

TEST_CASE("latencies: quantiles are off by 1.6% at most, over nine powers of ten") {
  for (Duration unit = 100ns; unit < 100s; unit *= 10) {
    Latencies latencies;
    for (int i = 1; i <= 1000; ++i) latencies.record(i * unit);
    for (const double q : {0.5, 0.9, 0.99}) {
      const double exact = q * 1000 * static_cast<double>(unit.count());
      CHECK(static_cast<double>(latencies.quantile(q).count()) == Approx(exact).epsilon(0.018));
    }
    CHECK(latencies.quantile(1.0) == latencies.max());
  }
}

TEST_CASE("latencies: the greatest duration there is finds a bucket") {
  Latencies latencies;
  latencies.record(Duration::max());
  CHECK(latencies.quantile(0.5) == Duration::max());
}
