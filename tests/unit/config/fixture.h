// tests/unit/config/fixture.h - a cluster's files in a folder of their own, and edits of one.

#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "config/file.h"
#include "config/generate.h"
#include "config/load.h"

namespace zap::config {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "zap-config-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const Path& path() const { return path_; }

 private:
  Path path_;
};

/// What generate_cluster makes, and node1.yaml as a text to spoil.
class GeneratedCluster {
 public:
  explicit GeneratedCluster(ClusterPlan plan = {}) {
    plan.folder = folder_.path();
    const auto files = generate_cluster(plan);
    INFO((files ? "" : files.error().message));
    REQUIRE(files);
    text_ = *read_file(file());
  }

  Path folder() const { return folder_.path(); }
  Path file() const { return folder_.path() / "node1.yaml"; }
  const std::string& text() const { return text_; }

  /// node1.yaml with `before` replaced, which must be in it.
  std::string with(const std::string& before, const std::string& after) const {
    std::string edited = text_;
    const std::size_t at = edited.find(before);
    INFO(before);
    REQUIRE(at != std::string::npos);
    return edited.replace(at, before.size(), after);
  }

  Result<Config> parsed(const std::string& text) const { return parse(text, file()); }

  /// The problems of a text, without the folder's name.
  std::string problems(const std::string& text) const {
    const auto result = parsed(text);
    std::string message = result ? "" : result.error().message;
    const std::string prefix = folder_.path().string() + "/";
    for (std::size_t at; (at = message.find(prefix)) != std::string::npos;) {
      message.erase(at, prefix.size());
    }
    return message;
  }

 private:
  TemporaryFolder folder_;
  std::string text_;
};

/// Why no cluster is made of a plan.
inline std::string cluster_error(ClusterPlan plan) {
  const TemporaryFolder folder;
  plan.folder = folder.path() / "cluster";
  const auto files = generate_cluster(plan);
  return files ? "" : files.error().message;
}

}  // namespace zap::config
