#include "store/log_reader.h"

#include <algorithm>
#include <string>

namespace zap::store {
namespace {

Error corrupt(const std::filesystem::path& file, const std::string& what) {
  return Error{ErrorCode::kCorrupt,
               file.string() + ": " + what +
                   "; the disk did not keep what was written: give this node a new identity with "
                   "`members replace`"};
}

}  // namespace

Result<ChainEnd> LogReader::scan(const ClusterId& cluster, const Visitor& visit) {
  Result<std::vector<Position>> segments = list_segments(folder_);
  if (!segments) return segments.error();
  segments_ = std::move(*segments);

  ChainEnd end;
  for (const Position first : segments_) {
    const std::filesystem::path file = folder_ / segment_name(first);
    Result<SegmentReader> reader = SegmentReader::open(file);
    if (!reader) return reader.error();
    if (reader->header().cluster != cluster) {
      return Error{ErrorCode::kInvalid, file.string() + " is of cluster " +
                                            reader->header().cluster + ", not of " + cluster +
                                            "; give each node a folder of its own"};
    }
    if (first == segments_.front()) {
      end = {first - 1, reader->header().previous};  // older ones may have been dropped
    } else if (first > end.position + 1) {
      return corrupt(file, "records " + std::to_string(end.position + 1) + " to " +
                               std::to_string(first - 1) + " before it are missing");
    }
    Result<void> followed;
    const Result<void> read =
        reader->read({.first = end.position + 1}, [&](const ChainedRecord& record) {
          if (record.position != end.position + 1) {
            followed = corrupt(file, "record " + std::to_string(end.position + 1) + " is missing");
          } else if (record.previous != end.hash) {
            followed = corrupt(file, "record " + std::to_string(record.position) +
                                         " does not follow the one before it in the hash chain");
          } else {
            end = {record.position, hash_of(record)};
            slots_.add(record.position, record.record.seq);
            followed = visit(record, end.hash);
          }
          return followed.ok();
        });
    if (!read) return read.error();
    if (!followed) return followed.error();
  }
  return end;
}

Result<LogReader::Found> LogReader::read(const LogQuery& query, Position last) {
  SegmentReader::Range range{.first = query.from, .last = last};
  const LogQuery everything;
  const bool of_some_slots = query.first_seq > 0 || query.last_seq != everything.last_seq;
  if (of_some_slots || query.kinds != everything.kinds) {
    range.kinds = query.kinds;
    range.first_seq = query.first_seq;
    range.last_seq = query.last_seq;
  }

  const std::lock_guard reading(reading_);
  std::vector<Position> segments;
  {
    const std::lock_guard index(index_);
    segments = segments_;
    if (of_some_slots) {
      const SlotIndex::Positions near = slots_.find(query.first_seq, query.last_seq);
      range.first = std::max(range.first, near.first);
      range.last = std::min(range.last, near.last);
    }
  }

  Found found;
  std::size_t bytes = 0;
  const auto gather = [&](ChainedRecord record) {
    bytes += record.record.body.size();
    found.full = bytes >= query.max_bytes;
    if (bytes > query.max_bytes && !found.records.empty()) return false;
    range.first = record.position + 1;
    found.records.push_back(std::move(record));
    return !found.full;
  };
  auto segment = std::upper_bound(segments.begin(), segments.end(), range.first);
  if (segment != segments.begin()) --segment;
  for (; segment != segments.end() && *segment <= range.last && !found.full; ++segment) {
    const Result<SegmentReader*> reader = reader_of(*segment);
    if (!reader) return reader.error();
    const Result<void> read = (*reader)->read(range, gather);
    if (!read) return read.error();
  }
  return found;
}

Result<SegmentReader*> LogReader::reader_of(Position first) {
  if (!reader_ || reader_->header().first != first) {
    reader_.reset();
    Result<SegmentReader> opened = SegmentReader::open(folder_ / segment_name(first));
    if (!opened) return opened.error();
    reader_ = std::move(*opened);
  }
  return &*reader_;
}

void LogReader::replace_from(Position first) {
  const std::lock_guard reading(reading_);
  reader_.reset();
  const std::lock_guard index(index_);
  segments_.erase(std::lower_bound(segments_.begin(), segments_.end(), first), segments_.end());
  segments_.push_back(first);
}

void LogReader::extend(Position first) {
  const std::lock_guard index(index_);
  segments_.push_back(first);
}

void LogReader::note(Position position, std::uint64_t seq) {
  const std::lock_guard index(index_);
  slots_.add(position, seq);
}

}  // namespace zap::store
