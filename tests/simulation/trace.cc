#include "tests/simulation/trace.h"

#include <algorithm>
#include <cstring>
#include <iomanip>
#include <sstream>

#include "tests/support/describe.h"

namespace zap::simulation {

namespace {

std::uint64_t folded(const Message& message) {
  const auto vote = [](const auto& one) {
    std::uint64_t word;
    std::memcpy(&word, one.digest.bytes.data(), sizeof word);
    return word ^ (one.view << 32) ^ one.seq;
  };
  if (const auto* proposal = std::get_if<pbft::PrePrepare>(&message)) return vote(*proposal);
  if (const auto* prepare = std::get_if<pbft::Prepare>(&message)) return vote(*prepare);
  if (const auto* commit = std::get_if<pbft::Commit>(&message)) return vote(*commit);
  return message.index();
}

}  // namespace

void Trace::delivered(Instant when, Place from, Place to, const EnvelopePtr& envelope) {
  hash_ = scrambled(hash_ ^ static_cast<std::uint64_t>(when.time_since_epoch().count()));
  hash_ = scrambled(hash_ ^ (from << 8) ^ to ^ folded(*envelope->message));
  keep({when, from, to, envelope, {}});
}

void Trace::happened(Instant when, Place where, std::string what) {
  hash_ = scrambled(hash_ ^ std::hash<std::string>{}(what) ^ where);
  keep({when, where, where, nullptr, std::move(what)});
}

void Trace::keep(Entry entry) {
  last_.push_back(std::move(entry));
  if (last_.size() > kKept) last_.pop_front();
}

std::string Trace::diagram() const {
  constexpr std::size_t kWidth = 6;
  std::ostringstream out;
  out << "      ms  ";
  for (Place place = 0; place < places_; ++place) {
    out << std::left << std::setw(kWidth) << place;
  }
  out << "\n";
  for (const Entry& entry : last_) {
    const Duration since = entry.when - Instant(std::chrono::hours(1));
    out << std::right << std::fixed << std::setprecision(2) << std::setw(9)
        << std::chrono::duration<double, std::milli>(since).count() << " ";
    std::string line((places_ - 1) * kWidth + 1, ' ');
    for (Place place = 0; place < places_; ++place) line[place * kWidth] = '|';
    if (entry.envelope) {
      const std::size_t left = std::min(entry.from, entry.to) * kWidth;
      const std::size_t right = std::max(entry.from, entry.to) * kWidth;
      std::fill(line.begin() + static_cast<long>(left), line.begin() + static_cast<long>(right),
                '-');
      line[entry.from * kWidth] = 'o';
      line[entry.to * kWidth] = entry.to > entry.from ? '>' : '<';
      out << line << "  " << entry.from << ">" << entry.to << " "
          << test::describe(*entry.envelope->message) << "\n";
    } else {
      line[entry.from * kWidth] = '*';
      out << line << "  " << entry.from << " " << entry.what << "\n";
    }
  }
  return out.str();
}

}  // namespace zap::simulation
