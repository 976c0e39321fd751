// The command lines by which PostgreSQL hands over finished pieces of its log, and asks for them back.
//
// Both run this program, in PostgreSQL's environment, which holds nothing of ours: where the backups are, and their
// key, stand in a private file of settings. Pure but for write_backup_settings().
#pragma once

#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::supervisor {

// `program`: boathouse; `settings_file`: what write_backup_settings() has written.
std::string archive_command(const std::string& program, const std::string& settings_file);
std::string restore_command(const std::string& program, const std::string& settings_file);

// Writes the file, mode 0600; removes it where there are to be no backups.
Status write_backup_settings(const config::Settings& settings, const std::string& path);

}  // namespace boathouse::supervisor
