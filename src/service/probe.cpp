#include "service/probe.hpp"

#include <cstdio>

#include "base/log.hpp"
#include "engine/probe.hpp"
#include "service/engine_settings.hpp"

namespace boathouse::service {
namespace {

constexpr int kExitConfiguration = 78;  // EX_CONFIG of sysexits.h

}  // namespace

int probe() {
    const auto settings = engine_settings();
    if (!settings) {
        log_error("engine", settings.error());
        return kExitConfiguration;
    }
    const auto endpoint = catalog::lake_endpoint(*settings);
    if (!endpoint) {
        log_error("engine", endpoint.error());
        return kExitConfiguration;
    }
    std::printf("%s\n", engine::to_json(engine::probe(*settings, *endpoint)).c_str());
    return 0;
}

}  // namespace boathouse::service
