#include "adapters/http/page.h"

#include "adapters/http/errors.h"
#include "adapters/http/fields.h"

namespace zap::http {

Answer answer_with(const Page& page, const ClientCall& call) {
  std::string out = "HTTP/1.1 " + std::to_string(page.status) + " ";
  out.append(reason_of(page.status)).append("\r\n");
  for (const auto& [name, value] : page.fields) append_field(out, name, value);
  append_field(out, "Content-Length", std::to_string(page.body.size()));
  out += "\r\n";
  if (call.method.verb != "HEAD") out += page.body;
  Answer answer;
  answer.payload = Bytes(std::move(out));
  return answer;
}

// A payload's second line is its Host (request.cc).
std::string_view host_of(const ClientCall& call) {
  constexpr std::string_view kHost = "\r\nHost: ";
  const std::string_view text = call.payload.view();
  const std::size_t begin = text.find(kHost) + kHost.size();
  return text.substr(begin, text.find("\r\n", begin) - begin);
}

}  // namespace zap::http
