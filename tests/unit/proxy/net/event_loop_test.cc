#include "proxy/net/event_loop.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <thread>

namespace zap {
namespace {

using namespace std::chrono_literals;

TEST_CASE("event loop: what other threads post runs on the loop, in their order") {
  EventLoop loop;
  std::string order;
  std::thread::id ran_on;
  std::thread poster([&] {
    for (char letter = 'a'; letter <= 'e'; ++letter)
      loop.post([&order, letter] { order += letter; });
    loop.post([&] { ran_on = std::this_thread::get_id(); });
    loop.stop();
  });
  loop.run();
  poster.join();
  loop.post([&] { loop.stop(); });  // stop() may have overtaken what was posted before it
  loop.run();
  CHECK(order == "abcde");
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("event loop: the end of a turn comes after its tasks, and takes in what it causes") {
  EventLoop loop;
  std::string order;
  loop.post([&] {
    loop.at_end_of_turn([&] {
      order += "end ";
      loop.at_end_of_turn([&] { order += "caused "; });
    });
    order += "first ";
  });
  loop.post([&] {
    order += "second ";
    loop.post([&] {
      order += "next-turn";
      loop.stop();
    });
  });
  loop.run();
  CHECK(order == "first second end caused next-turn");
}

TEST_CASE("timer: moved on, moved back, cancelled, and destroyed by its own function") {
  EventLoop loop;
  std::string fired;
  Timer moved_on(loop, [&] { fired += "moved-on "; });
  Timer moved_back(loop, [&] { fired += "moved-back "; });
  Timer cancelled(loop, [&] { fired += "cancelled "; });
  auto own = std::unique_ptr<Timer>();
  own = std::make_unique<Timer>(loop, [&] {
    own.reset();
    fired += "own ";
  });
  Timer last(loop, [&] { loop.stop(); });

  moved_on.after(1ms);
  moved_on.after(40ms);
  moved_back.after(10s);
  moved_back.after(20ms);
  cancelled.after(5ms);
  cancelled.cancel();
  own->after(10ms);
  last.after(60ms);
  CHECK(moved_on.pending());
  CHECK_FALSE(cancelled.pending());
  const Instant start = read_clocks().instant;
  loop.run();
  CHECK(fired == "own moved-back moved-on ");
  CHECK(read_clocks().instant - start >= 60ms);
}

TEST_CASE("event loop: a signal is an event like any other") {
  EventLoop loop;
  bool heard = false;
  loop.on_signal(SIGUSR1, [&] {
    heard = true;
    loop.stop();
  });
  loop.post([] { std::raise(SIGUSR1); });
  loop.run();
  CHECK(heard);
}

}  // namespace
}  // namespace zap
