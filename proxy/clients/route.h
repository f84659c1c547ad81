// proxy/clients/route.h - what a listener's calls need: its methods table, and the application that
// they are for. Made once, at the start.

#pragma once

#include "config/config.h"
#include "proxy/app/applier.h"
#include "proxy/app/local_reads.h"

namespace zap {

struct Route {
  const config::Listener* listener = nullptr;
  config::MethodTable methods;
  Applier* app = nullptr;
  LocalReads* reads = nullptr;
};

}  // namespace zap
