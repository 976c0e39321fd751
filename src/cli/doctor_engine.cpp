// Doctor's look through DuckDB: boathouse-engine's probe, as this program links no DuckDB.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <cmath>
#include <cstdlib>

#include "base/install_layout.hpp"
#include "cli/doctor_finding.hpp"
#include "cli/program.hpp"
#include "config/load.hpp"

namespace boathouse::cli {
namespace {

namespace json = boost::json;

constexpr double kClockWarningSeconds = 60;

std::string encoded(const std::string& text) {
    return boost::urls::encode(text, boost::urls::unreserved_chars);
}

// The probe reads its settings from the environment, as the engine does; secrets are in no command line.
void set_environment(const config::Settings& settings, const catalog::Endpoint& endpoint) {
    for (const auto& [name, value] : config::to_environment(settings)) ::setenv(name.c_str(), value.c_str(), 1);
    const std::string url =
        fmt::format("postgresql://{}:{}@{}:{}/{}", encoded(endpoint.user), encoded(endpoint.password.reveal()),
                    encoded(endpoint.host), endpoint.port, encoded(endpoint.database));
    ::setenv("BOATHOUSE_CATALOG", url.c_str(), 1);
    ::setenv("BOATHOUSE_LOG_LEVEL", "warning", 1);
}

Result<json::object> run_probe(const config::Settings& settings, const catalog::Endpoint& endpoint) {
    const auto engine = engine_executable();
    if (!engine) return engine.error();
    set_environment(settings, endpoint);
    const auto end = run_program({.command = {engine->string(), "probe"}});
    if (!end) return end.error();
    boost::system::error_code malformed;
    auto report = json::parse(end->output, malformed);
    if (end->exit_code != 0 || malformed || !report.is_object()) {
        return Error{ErrorKind::internal,
                     fmt::format("`boathouse-engine probe` ended with code {} and no report", end->exit_code),
                     "What it said is above."};
    }
    return report.as_object();
}

std::string text(const json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

Finding from_report(const char* check, const json::object& part, std::string ok_message) {
    if (part.at("ok").as_bool()) return {check, Level::ok, std::move(ok_message)};
    return {check, Level::failure, text(part, "error"), text(part, "hint")};
}

void add_store_clock(const json::object& data_path, Findings& findings) {
    const double ahead = data_path.at("clock_ahead_seconds").to_number<double>();
    if (std::abs(ahead) < kClockWarningSeconds) return;
    findings.push_back({"clock", Level::warning,
                        fmt::format("the store's clock is {:.0f} s {} of this machine's", std::abs(ahead),
                                    ahead > 0 ? "ahead" : "behind"),
                        "Set both by NTP: stores refuse requests that are more than 15 minutes off."});
}

}  // namespace

void check_engine(const config::Settings& settings, const catalog::Endpoint& endpoint, Findings& findings) {
    const auto report = run_probe(settings, endpoint);
    if (!report) {
        findings.push_back({"engine", Level::failure, report.error().message, report.error().hint});
        return;
    }
    std::string extensions;
    for (const auto& extension : report->at("extensions").as_array()) {
        const std::string name = text(extension.as_object(), "name");
        if (name == "ducklake" || name == "postgres_scanner" || name == "httpfs") {
            extensions += fmt::format(", {} {}", name, text(extension.as_object(), "version"));
        }
    }
    const auto& duckdb = report->at("duckdb").as_object();
    findings.push_back(
        from_report("extensions", duckdb, fmt::format("DuckDB {}{}", text(duckdb, "version"), extensions)));
    const auto& data_path = report->at("data_path").as_object();
    findings.push_back(from_report("data path", data_path,
                                   fmt::format("{} can be written and read from here", text(data_path, "path"))));
    add_store_clock(data_path, findings);
    findings.push_back(from_report("attach", report->at("lake").as_object(),
                                   "DuckDB attaches the lake and reads its newest snapshot"));
}

}  // namespace boathouse::cli
