#include "proxy/app/app_probe.h"

#include <charconv>
#include <utility>

namespace zap {

namespace {

constexpr std::size_t kAnswerBytes = 256;

std::string text_of(Output& output) {
  std::string text;
  for (const Bytes& piece : output.take()) text += piece.view();
  return text;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Result<AppProbe> AppProbe::make(const Protocol& protocol, const Address& app,
                                std::string_view question) {
  ClientSettings settings;
  settings.random_id = [] { return RandomId{}; };
  auto client = protocol.client_session(std::move(settings));
  Output refusal;
  const std::string request = std::string(question) + " HTTP/1.1\r\nHost: " +
                              (app.is_unix() ? "localhost" : to_string(app)) + "\r\n\r\n";
  std::string_view rest = request;
  std::optional<ClientCall> call = client->feed(rest, refusal);
  if (!call || !rest.empty()) {
    return Error{ErrorCode::kInvalid, "\"" + std::string(question) +
                                          "\" cannot be asked of an application that speaks " +
                                          std::string(protocol.name())};
  }
  return AppProbe(std::string(question), std::move(client), std::move(*call));
}

AppProbe::AppProbe(std::string question, std::unique_ptr<ClientSession> client, ClientCall call)
    : question_(std::move(question)),
      client_(std::move(client)),
      sequence_(call.sequence),
      payload_(std::move(call.payload)) {}

Result<std::string> AppProbe::answer(const Reply& reply) {
  Output output;
  client_->answer(sequence_, {.payload = reply.payload}, output);
  const std::string text = text_of(output);
  const std::string_view status_line = std::string_view(text).substr(0, text.find("\r\n"));
  const std::size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string::npos || !status_line.starts_with("HTTP/1.1 200")) {
    return Error{ErrorCode::kInvalid, "the application answered \"" + question_ + "\" with \"" +
                                          std::string(status_line) + "\", not with status 200"};
  }
  const std::string_view body = trimmed(std::string_view(text).substr(head_end + 4));
  if (body.empty() || body.size() > kAnswerBytes) {
    return Error{ErrorCode::kInvalid, "the application answered \"" + question_ + "\" with " +
                                          std::to_string(body.size()) + " bytes, not with 1 to " +
                                          std::to_string(kAnswerBytes)};
  }
  return std::string(body);
}

Result<Index> parse_index(std::string_view text) {
  Index index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{ErrorCode::kInvalid,
                 "the application answered the index \"" + std::string(text) + "\", not a number"};
  }
  return index;
}

}  // namespace zap
