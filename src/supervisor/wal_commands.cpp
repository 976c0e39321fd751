#include "supervisor/wal_commands.hpp"

#include <unistd.h>

#include "base/file.hpp"
#include "config/file.hpp"

namespace boathouse::supervisor {
namespace {

// A word for the shell that PostgreSQL runs, in which % stands for something unless it is doubled.
std::string word(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') {
            quoted += "'\\''";
        } else {
            quoted.append(c == '%' ? 2 : 1, c);
        }
    }
    return quoted + "'";
}

}  // namespace

std::string archive_command(const std::string& program, const std::string& settings_file) {
    return word(program) + " backup archive-wal --config " + word(settings_file) + " '%p'";
}

std::string restore_command(const std::string& program, const std::string& settings_file) {
    return word(program) + " backup fetch-wal --config " + word(settings_file) + " '%f' '%p'";
}

Status write_backup_settings(const config::Settings& settings, const std::string& path) {
    if (settings.backup_to.empty()) {
        ::unlink(path.c_str());
        return {};
    }
    std::vector<std::string_view> keys{"data_dir", "backup_to", "backup_key", "backup_rate_mb"};
    if (config::is_s3(settings.backup_to)) {
        keys.insert(keys.end(), {"s3_endpoint", "s3_url_style", "s3_use_ssl", "aws_region", "aws_access_key_id",
                                 "aws_secret_access_key", "aws_session_token"});
    }
    return write_file(path, config::file_text(settings, keys), 0600);
}

}  // namespace boathouse::supervisor
