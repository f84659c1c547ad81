// proxy/app/app_progress.h - what this node knows of an application across its own restarts.
//
// Which run of the application it spoke to, and which calls that run was sent and has answered: one
// sector of a small file beside the log, written through a memory map without syncing. So a mark
// costs a store, and outlives a killed sidecar, not a power cut; a memory application is gone
// after one as well, and a durable one is asked, or gets its last calls again. Only a call that was
// sent and not answered is ever in doubt.
//
// Threads: one; lives on the applier's loop.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"

namespace zap {

class AppProgress {
 public:
  /// Maps the file, making it where it is missing. One that cannot be understood counts as
  /// missing: known() is false.
  static Result<std::unique_ptr<AppProgress>> open(const std::filesystem::path& file);

  ~AppProgress();
  AppProgress(const AppProgress&) = delete;
  AppProgress& operator=(const AppProgress&) = delete;

  /// Whether the file was written before: then what it says is all that ever was sent.
  bool known() const;

  /// The identity (app_identity.h) of the run that the marks speak of; empty where nothing told.
  std::string_view run() const;
  Index sent() const;       ///< to that run
  Index answered() const;   ///< by that run; everything below it too
  Index ever_sent() const;  ///< to any run: what is sent again is a replay

  bool in_doubt() const { return sent() > answered(); }

  /// From now on the marks speak of `run`, which has everything up to `answered`. Where nothing
  /// was known(), calls up to `ever_sent` may have been sent.
  void begin_run(std::string_view run, Index answered, Index ever_sent);
  void mark_sent(Index index);

  /// The first index at which this application's answer was not that of q others; 0: none. Durable
  /// before quarantine() returns, and stays until it is lifted, whatever run begins.
  Index quarantined_at() const;
  void quarantine(Index first_differing);
  void lift_quarantine();
  void mark_answered(Index index);

 private:
  struct Page;
  explicit AppProgress(Page* page) : page_(page) {}

  Page* const page_;
};

}  // namespace zap
