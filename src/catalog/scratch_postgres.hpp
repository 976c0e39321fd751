// A real PostgreSQL for one test program: a cluster of its own in a temporary directory, reached through a private
// Unix socket alone, started with the program's first test that asks and stopped with the program.
//
// Not thread-safe. PostgreSQL refuses to run as root, so as root it runs as the user postgres. As in a box, the role
// "boathouse" enters without a password and everyone else with SCRAM.
#pragma once

#include <sys/types.h>

#include <string>

#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::catalog {

class ScratchPostgres {
  public:
    ScratchPostgres();
    ~ScratchPostgres();
    ScratchPostgres(const ScratchPostgres&) = delete;
    ScratchPostgres& operator=(const ScratchPostgres&) = delete;

    // The settings of a box whose data directory is this cluster's.
    const config::Settings& settings() const { return settings_; }
    const std::string& pg_bin() const { return pg_bin_; }

    // As `user`, into `database`.
    Result<Connection> connect(const std::string& user, const std::string& database,
                               const Secret& password = Secret()) const;

    // As the kernel would end it, and as a supervisor would start it again.
    void crash();
    void start();

  private:
    void initialise();

    std::string dir_;
    std::string pg_bin_;
    pid_t server_ = -1;
    config::Settings settings_;
};

// Creates the tables of an empty DuckLake 1.0 in the connection's database.
void create_lake_tables(Connection& connection);

}  // namespace boathouse::catalog
