#include "config/settings.hpp"

namespace boathouse::config {
namespace {

std::string with_slash(std::string path) {
    if (!path.empty() && path.back() != '/') path += '/';
    return path;
}

std::string part(const Settings& settings, const char* name) {
    return with_slash(settings.data_dir) + name;
}

}  // namespace

std::string effective_data_path(const Settings& settings) {
    if (!settings.data_path.empty()) return with_slash(settings.data_path);
    if (!settings.s3_bucket_url.empty()) return with_slash(settings.s3_bucket_url);
    return part(settings, "lake/");
}

std::string postgres_dir(const Settings& settings) {
    return part(settings, "postgres");
}
std::string run_dir(const Settings& settings) {
    return part(settings, "run");
}
std::string tls_dir(const Settings& settings) {
    return part(settings, "tls");
}
std::string secrets_dir(const Settings& settings) {
    return part(settings, "secrets");
}
std::string spill_dir(const Settings& settings) {
    return part(settings, "tmp");
}
std::string log_dir(const Settings& settings) {
    return part(settings, "log");
}

std::string generated_password_file(const Settings& settings) {
    return secrets_dir(settings) + "/postgres_password";
}
std::string state_file(const Settings& settings) {
    return run_dir(settings) + "/state.json";
}

std::string backup_settings_file(const Settings& settings) {
    return secrets_dir(settings) + "/backup.toml";
}

bool is_s3(const std::string& url_or_path) {
    return url_or_path.rfind("s3://", 0) == 0;
}

bool is_loopback(const std::string& listen) {
    return listen.rfind("127.", 0) == 0 || listen == "::1";
}

}  // namespace boathouse::config
