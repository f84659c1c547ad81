#include "proxy/app/supervisor.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "proxy/app/app_identity.h"
#include "proxy/net/listener.h"
#include "tests/unit/proxy/loop_runner.h"
#include "tests/unit/proxy/scratch_folder.h"

namespace zap {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

bool lives(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST_CASE("supervisor: a child that dies is started again, as another run") {
  EventLoop loop;
  Supervisor supervisor(loop, {.command = shell("exec sleep 60")});
  REQUIRE(supervisor.start().ok());
  const std::string first = supervisor.run();
  CHECK(first == run_of_process(supervisor.pid()));

  ::kill(supervisor.pid(), SIGKILL);
  run_until(loop, [&] { return supervisor.starts() == 2; });
  CHECK_FALSE(supervisor.run().empty());
  CHECK(supervisor.run() != first);
}

TEST_CASE("supervisor: a child that dies at once is started with growing pauses") {
  EventLoop loop;
  Supervisor supervisor(loop, {.command = shell("exit 3")});
  REQUIRE(supervisor.start().ok());
  run_for(loop, 600ms);  // starts after 0, 100, 300 and 700 ms
  CHECK(supervisor.starts() >= 2);
  CHECK(supervisor.starts() <= 3);
}

TEST_CASE("supervisor: a child has the files that we were given, and none of ours") {
  EventLoop loop;
  Supervisor supervisor(loop, {.command = shell("exec sleep 60")});
  REQUIRE(supervisor.start().ok());
  const std::string files = "/proc/" + std::to_string(supervisor.pid()) + "/fd";
  CHECK(std::filesystem::read_symlink(files + "/0") == "/dev/null");
  for (const auto& file : std::filesystem::directory_iterator(files)) {
    const std::string number = file.path().filename();
    INFO(file.path().string() + " is " + std::filesystem::read_symlink(file.path()).string());
    CHECK(std::filesystem::exists(std::filesystem::symlink_status("/proc/self/fd/" + number)));
  }
}

TEST_CASE("supervisor: restart ends one run and begins another") {
  EventLoop loop;
  Supervisor supervisor(loop, {.command = shell("exec sleep 60")});
  REQUIRE(supervisor.start().ok());
  const pid_t first = supervisor.pid();
  supervisor.restart("a test");
  CHECK(supervisor.run().empty());
  run_until(loop, [&] { return supervisor.starts() == 2; });
  CHECK_FALSE(lives(first));
}

TEST_CASE("supervisor: stop asks first, and kills what does not end") {
  EventLoop loop;
  const ScratchFolder folder;
  const std::string ready = folder / "ready";
  Supervisor supervisor(
      loop, {.command = shell("trap '' TERM; touch " + ready + "; while :; do sleep 0.1; done"),
             .grace = 200ms});
  REQUIRE(supervisor.start().ok());
  run_until(loop, [&] { return std::filesystem::exists(ready); });
  const pid_t child = supervisor.pid();
  bool stopped = false;
  supervisor.stop([&] { stopped = true; });
  run_for(loop, 50ms);
  CHECK_FALSE(stopped);
  run_until(loop, [&] { return stopped; });
  CHECK_FALSE(lives(child));
  CHECK(supervisor.starts() == 1);
}

TEST_CASE("supervisor: what a child leaves behind goes with it") {
  EventLoop loop;
  const ScratchFolder folder;
  const std::string file = folder / "pid";
  Supervisor supervisor(loop, {.command = shell("sleep 60 & echo $! > " + file + "; wait")});
  REQUIRE(supervisor.start().ok());
  pid_t grandchild = 0;
  run_until(loop, [&] { return static_cast<bool>(std::ifstream(file) >> grandchild); });
  CHECK_FALSE(run_of_process(grandchild).empty());
  ::kill(supervisor.pid(), SIGKILL);
  run_until(loop, [&] { return supervisor.starts() == 2; });
  // Nobody may have reaped it yet, where it has no init above it: then it is a zombie.
  run_until(loop, [&] {
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(grandchild) + "/stat"), stat);
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  });
}

TEST_CASE("supervisor: a command that cannot be run is an error that names it") {
  EventLoop loop;
  Supervisor supervisor(loop, {.command = {"/nowhere/app"}});
  const auto started = supervisor.start();
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().message == "cannot run /nowhere/app: No such file or directory");
}

TEST_CASE("supervisor: somebody who listens on the application's address already is named") {
  EventLoop loop;
  const auto listener = Listener::open(loop, {.host = "127.0.0.1"}, [](Socket) {});
  Supervisor supervisor(
      loop, {.command = shell("exec sleep 60"), .addresses = {listener.value()->address()}});
  const auto started = supervisor.start();
  REQUIRE_FALSE(started.ok());
  CHECK_THAT(started.error().message,
             Catch::Contains("(pid " + std::to_string(::getpid()) + ") listens on 127.0.0.1:"));
  CHECK(supervisor.pid() == 0);
}

TEST_CASE("supervisor: the child dies with a sidecar that is killed") {
  const ScratchFolder folder;
  const std::string file = folder / "pid";
  const pid_t sidecar = ::fork();
  if (sidecar == 0) {
    EventLoop loop;
    Supervisor supervisor(loop, {.command = shell("echo $$ > " + file + "; exec sleep 60")});
    if (supervisor.start().ok()) loop.run();
    ::_exit(1);
  }
  EventLoop loop;
  pid_t child = 0;
  run_until(loop, [&] { return static_cast<bool>(std::ifstream(file) >> child); });
  CHECK(lives(child));
  ::kill(sidecar, SIGKILL);
  ::waitpid(sidecar, nullptr, 0);
  run_until(loop, [&] {
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(child) + "/stat"), stat);
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  });
}

}  // namespace
}  // namespace zap
