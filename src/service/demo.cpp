#include "service/demo.hpp"

#include <cstdio>

#include "catalog/connection.hpp"
#include "config/connect_strings.hpp"
#include "engine/demo.hpp"
#include "service/engine_settings.hpp"

namespace boathouse::service {
namespace {

int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::unavailable:
            return 69;  // EX_UNAVAILABLE of sysexits.h
        case ErrorKind::permission:
            return 77;  // EX_NOPERM
        case ErrorKind::configuration:
        case ErrorKind::not_found:
            return 78;  // EX_CONFIG
        case ErrorKind::conflict:
        case ErrorKind::corrupt:
        case ErrorKind::limit:
        case ErrorKind::internal:
            return 1;
    }
    return 1;
}

int fail(const Error& error) {
    std::fprintf(stderr, "boathouse demo: %s\n", error.text().c_str());
    return exit_code(error.kind);
}

// The catalog's door, as any client of POSTGRES_USER comes in.
Result<catalog::Endpoint> client_endpoint(const config::Settings& settings) {
    if (!settings.catalog.empty()) return catalog::box_endpoint(settings);
    catalog::Endpoint endpoint;
    endpoint.host = config::local_host(settings);
    endpoint.port = std::to_string(settings.catalog_port);
    endpoint.user = settings.postgres_user;
    endpoint.database = settings.postgres_db;
    endpoint.password = settings.postgres_password;
    endpoint.application_name = "boathouse demo";
    return endpoint;
}

}  // namespace

int demo(const std::string& csv_dir) {
    const auto settings = engine_settings();
    if (!settings) return fail(settings.error());
    const auto client = client_endpoint(*settings);
    if (!client) return fail(client.error());
    const auto loaded = engine::load_demo(*settings, *client, csv_dir, [](const std::string& line) {
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    });
    return loaded ? 0 : fail(loaded.error());
}

}  // namespace boathouse::service
