// What HTTP costs one call, apart from sockets: CPU a request on its way in, to the application,
// back, and out to the client.

#include <benchmark/benchmark.h>

#include <string>

#include "adapters/http/app_session.h"
#include "adapters/http/client_session.h"
#include "adapters/http/message_parser.h"

namespace zap::http {
namespace {

std::string request(std::size_t body_bytes) {
  return "POST /orders/7 HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nUser-Agent: bench/1.0\r\n"
         "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

std::string response(std::size_t body_bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\nContent-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

ClientSettings client_settings() {
  ClientSettings settings;
  settings.peer_address = "127.0.0.1";
  settings.random_id = [] { return RandomId{0x0123456789abcdef, 0xfedcba9876543210}; };
  return settings;
}

/// Parsing alone: line guard, llhttp, and the checks of a head.
void parse_request(benchmark::State& state) {
  const std::string input = request(static_cast<std::size_t>(state.range(0)));
  MessageParser parser(MessageParser::Side::kRequests, {32 * 1024, 100, 1'000'000});
  std::string body;
  for (auto _ : state) {
    body.clear();
    std::string_view rest = input;
    while (parser.parse(rest, body) != MessageParser::Progress::kMessage) {
    }
    benchmark::DoNotOptimize(body.data());
  }
}

/// A request's bytes in, its call out; the answer in, its bytes out.
void serve_client(benchmark::State& state) {
  const auto body_bytes = static_cast<std::size_t>(state.range(0));
  const std::string input = request(body_bytes);
  HttpClientSession session(client_settings());
  Output output;
  Answer answer;
  answer.payload = Bytes(response(body_bytes));
  answer.index = 1042;
  answer.view = 3;
  answer.operation_id = "node1-7-1042";
  for (auto _ : state) {
    std::string_view rest = input;
    session.answer(session.feed(rest, output)->sequence, answer, output);
    benchmark::DoNotOptimize(output.take());
  }
}

/// A call to the application, and its response back.
void call_application(benchmark::State& state) {
  const auto body_bytes = static_cast<std::size_t>(state.range(0));
  const Bytes payload(request(body_bytes));
  const std::string input = response(body_bytes);
  const Comparison comparison;
  const Delivery delivery{
      1042, 1'700'000'000'000'000'000, 0x0123456789abcdef, "node1-7-1042", "node1", false};
  HttpAppSession session(AppSettings{});
  Output output;
  for (auto _ : state) {
    session.deliver(payload, delivery, comparison, output);
    benchmark::DoNotOptimize(output.take());
    benchmark::DoNotOptimize(session.feed(input));
  }
}

BENCHMARK(parse_request)->Arg(0)->Arg(256)->Arg(16 * 1024);
BENCHMARK(serve_client)->Arg(256)->Arg(16 * 1024);
BENCHMARK(call_application)->Arg(256)->Arg(16 * 1024);

}  // namespace
}  // namespace zap::http
