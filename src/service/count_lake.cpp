#include "service/count_lake.hpp"

#include <cstdio>

#include "service/engine_settings.hpp"

namespace boathouse::service {
namespace {

constexpr int kExitFailed = 1;

int fail(const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
    return kExitFailed;
}

}  // namespace

int count_lake(engine::ReadDepth depth) {
    const auto settings = engine_settings();
    if (!settings) return fail(settings.error());
    const auto endpoint = catalog::lake_endpoint(*settings);
    if (!endpoint) return fail(endpoint.error());
    const auto report = engine::count_lake(*settings, *endpoint, depth);
    if (!report) return fail(report.error());
    std::printf("%s\n", report->c_str());
    return 0;
}

}  // namespace boathouse::service
