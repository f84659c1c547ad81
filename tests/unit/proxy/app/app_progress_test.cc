#include "proxy/app/app_progress.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

std::unique_ptr<AppProgress> open(const std::filesystem::path& file) {
  auto progress = AppProgress::open(file);
  REQUIRE(progress.ok());
  return std::move(*progress);
}

TEST_CASE("app progress: a new file knows nothing") {
  const ScratchFolder folder;
  const auto progress = open(folder / "app");
  CHECK_FALSE(progress->known());
}

TEST_CASE("app progress: marks outlive the process that made them") {
  const ScratchFolder folder;
  {
    const auto progress = open(folder / "app");
    progress->begin_run("process 7", 0, 0);
    progress->mark_sent(1);
    progress->mark_answered(1);
    progress->mark_sent(2);
  }
  const auto progress = open(folder / "app");
  CHECK(progress->known());
  CHECK(progress->run() == "process 7");
  CHECK(progress->answered() == 1);
  CHECK(progress->sent() == 2);
  CHECK(progress->in_doubt());
}

TEST_CASE("app progress: a new run starts over, and what was ever sent stays known") {
  const ScratchFolder folder;
  const auto progress = open(folder / "app");
  progress->begin_run("process 7", 0, 0);
  progress->mark_sent(9);
  progress->begin_run("process 8", 0, 0);
  CHECK(progress->run() == "process 8");
  CHECK(progress->sent() == 0);
  CHECK_FALSE(progress->in_doubt());
  CHECK(progress->ever_sent() == 9);
}

TEST_CASE("app progress: where nothing was known, what may have been sent counts as sent") {
  const ScratchFolder folder;
  const auto progress = open(folder / "app");
  progress->begin_run("process 7", 0, 12);
  CHECK(progress->ever_sent() == 12);
  CHECK(progress->sent() == 0);
}

TEST_CASE("app progress: a quarantine outlives the process and the run, until it is lifted") {
  const ScratchFolder folder;
  {
    const auto progress = open(folder / "app");
    progress->begin_run("process 7", 0, 0);
    CHECK(progress->quarantined_at() == 0);
    progress->mark_answered(9);
    progress->quarantine(8);
  }
  const auto progress = open(folder / "app");
  CHECK(progress->known());
  CHECK(progress->answered() == 9);
  CHECK(progress->quarantined_at() == 8);
  progress->begin_run("process 8", 0, 0);
  CHECK(progress->quarantined_at() == 8);
  progress->lift_quarantine();
  CHECK(progress->quarantined_at() == 0);
}

TEST_CASE("app progress: a damaged file counts as missing") {
  const ScratchFolder folder;
  open(folder / "app")->begin_run("process 7", 3, 0);
  {
    std::fstream file(folder / "app", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(80);
    file.put('X');
  }
  CHECK_FALSE(open(folder / "app")->known());
}

TEST_CASE("app progress: the error names the file") {
  const auto progress = AppProgress::open("/nowhere/app");
  REQUIRE_FALSE(progress.ok());
  CHECK_THAT(progress.error().message, Catch::Contains("/nowhere/app"));
}

}  // namespace
}  // namespace zap
