// Doctor's look at the HTTP door: what a load balancer and an orchestrator hear from it.
#include <spdlog/fmt/fmt.h>

#include "cli/doctor_finding.hpp"
#include "cli/readiness.hpp"

namespace boathouse::cli {

void check_http(const HttpAddress& address, bool is_local, Findings& findings) {
    const Readiness readiness = ask_readiness(address);
    const std::string where = fmt::format("{}:{}", address.host, address.port);
    if (!readiness.answers) {
        // Clients need this door for the extensions alone, so elsewhere it may be closed on purpose.
        findings.push_back(
            {"http", is_local ? Level::failure : Level::warning, "the HTTP door: " + readiness.text,
             is_local ? "Check that the box runs (`boathouse status`), and its --http-port."
                      : "Health checks, metrics and the extension mirror come through it: --http-port, and allow TCP "
                        "to it from this machine where you want them."});
    } else if (!readiness.ready) {
        findings.push_back({"http", Level::failure,
                            fmt::format("{} answers, and says that the box is not ready: {}", where, readiness.text),
                            readiness.hint.empty() ? "The box's log says more." : readiness.hint});
    } else {
        findings.push_back({"http", Level::ok, fmt::format("{} answers, and says that the box is ready", where)});
    }
}

}  // namespace boathouse::cli
