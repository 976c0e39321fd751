// The subcommands, in the order of --help. command.hpp says what one is made of.
#pragma once

#include "cli/command.hpp"

namespace boathouse::cli {

void add_serve(CLI::App& root, Invocation& invocation);
void add_status(CLI::App& root, Invocation& invocation);
void add_attach_string(CLI::App& root, Invocation& invocation);
void add_user(CLI::App& root, Invocation& invocation);
void add_token(CLI::App& root, Invocation& invocation);
void add_mirror(CLI::App& root, Invocation& invocation);
void add_policy(CLI::App& root, Invocation& invocation);
void add_tag(CLI::App& root, Invocation& invocation);
void add_consumer(CLI::App& root, Invocation& invocation);
void add_keeper(CLI::App& root, Invocation& invocation);
void add_undo(CLI::App& root, Invocation& invocation);
void add_backup(CLI::App& root, Invocation& invocation);
void add_restore(CLI::App& root, Invocation& invocation);
void add_migrate(CLI::App& root, Invocation& invocation);
void add_upgrade_postgres(CLI::App& root, Invocation& invocation);
void add_doctor(CLI::App& root, Invocation& invocation);
void add_demo(CLI::App& root, Invocation& invocation);
void add_config(CLI::App& root, Invocation& invocation);
void add_engine(CLI::App& root, Invocation& invocation);
void add_version(CLI::App& root, Invocation& invocation);
// What `boathouse version` prints, without the last line's end.
std::string versions();
void add_completion(CLI::App& root, Invocation& invocation);
void add_help(CLI::App& root, Invocation& invocation);

}  // namespace boathouse::cli
