// One connection to PostgreSQL, over libpq.
//
// Owned by one thread at a time. Every call may block on the server; a caller that must not wait sets statement_timeout
// or lock_timeout first. Errors carry PostgreSQL's message and SQLSTATE; a password never appears in them.
//
// The search path is empty: the box connects as a superuser to a database in which others may create objects, so every
// statement names its schema ("public.ducklake_snapshot"), and nothing that a client left there is called by accident.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/settings.hpp"

struct pg_conn;
struct pg_result;

namespace boathouse::catalog {

// How to reach a PostgreSQL: libpq's own parameters, the password apart from them.
struct Endpoint {
    std::string host;  // name, address, or the directory of a Unix socket
    std::string port;
    std::string user;
    std::string database;
    Secret password;      // empty: peer authentication, or none
    std::string sslmode;  // empty: libpq's default
    std::string application_name = "boathouse";
    std::map<std::string, std::string> parameters;  // what else the external catalog's URL says: sslrootcert, options …

    // "host=… port=… user=… dbname=…", quoted as libpq wants it, without the password.
    std::string conninfo() const;
};

// The box's own way into its catalog: the private socket as the superuser "boathouse" (peer authentication), or the
// external catalog's URL. For what only a superuser may do, and for nothing that reads or writes the lake's tables:
// whoever owns those could have code of theirs run by it. Fails on a malformed URL.
Result<Endpoint> box_endpoint(const config::Settings& settings);

// The engine's way to the lake's tables: as box_endpoint(), but as "boathouse_engine", a member of lake_admin that is
// no superuser. The external catalog's URL names one role for both.
Result<Endpoint> lake_endpoint(const config::Settings& settings);

// The database of the mirror (src/mirror): the lake's name, "lake", or "lake_mirror" where POSTGRES_DB has that name.
std::string mirror_database(const config::Settings& settings);

// The mirror's database as "boathouse_mirror", which owns it and is no superuser. For the box's own PostgreSQL.
Endpoint mirror_endpoint(const config::Settings& settings);

// The directory of the private socket, as PostgreSQL's unix_socket_directories wants it: <data_dir>/run, or, where that
// path is longer than a socket's may be (107 bytes), a directory in /tmp whose name is derived from the data
// directory's. Whoever creates it there makes it private and checks that it is its own.
std::string socket_dir(const config::Settings& settings);

// Rows as text, as PostgreSQL prints them; NULL is nullopt.
using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

// What a prepared statement is given: text, or a value in PostgreSQL's binary form.
struct Parameter {
    enum class Form { text, binary, null };
    std::string bytes;
    Form form = Form::text;

    static Parameter of(long long number) { return {std::to_string(number), Form::text}; }
    static Parameter of(const std::optional<std::string>& text);
    static Parameter binary(std::string bytes) { return {std::move(bytes), Form::binary}; }
};

// A prepared statement to run.
struct Step {
    std::string statement;  // its name
    std::vector<Parameter> parameters{};
};

class Connection {
  public:
    static Result<Connection> open(const Endpoint& endpoint,
                                   std::chrono::milliseconds connect_timeout = std::chrono::seconds(10));
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    // One statement with text parameters ($1 …).
    Result<Rows> query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});

    // One or more statements without parameters, in one implicit transaction.
    Status execute(const std::string& sql);

    // A statement under a name, to be run by send_prepared() and receive(): between the two the server works and the
    // caller need not wait.
    Status prepare(const std::string& name, const std::string& sql);
    Status send_prepared(const std::string& name, const std::vector<std::optional<std::string>>& parameters = {});
    Result<Rows> receive();

    // All of them in one round trip: they are sent together and answered together. What follows a step that fails is
    // not run; the failure is the step's. Without an SQLSTATE the connection was lost, and what was sent may have been
    // done or not.
    Result<std::vector<Rows>> run(const std::vector<Step>& steps);

    // Whether the server still held the other end a moment ago. Asks nobody, and so does not block.
    bool is_alive();

    // SQLSTATE of the last failure, "" if none or if the connection was lost.
    const std::string& last_sqlstate() const { return sqlstate_; }
    // For who cleans up after a failure and wants it still told.
    void set_last_sqlstate(std::string sqlstate) { sqlstate_ = std::move(sqlstate); }
    int server_version() const;  // 150018
    bool is_superuser() const;
    // Whether the server asked for the password that the endpoint gave.
    bool used_password() const;

    // "name" and 'text', quoted for SQL.
    std::string identifier(std::string_view name) const;
    std::string literal(std::string_view text) const;

    // The SCRAM-SHA-256 verifier that PostgreSQL would store, computed here so that no password travels in SQL.
    Result<std::string> scram_verifier(const std::string& user, const Secret& password) const;

  private:
    struct Closer {
        void operator()(pg_conn* connection) const;
    };
    explicit Connection(pg_conn* connection) : connection_(connection) {}
    Error failure(const char* message, const char* sqlstate, const char* hint);
    Result<Rows> rows_of(pg_result* result);
    Status send(const std::vector<Step>& steps);
    Result<std::vector<Rows>> receive_all(std::size_t count);

    std::unique_ptr<pg_conn, Closer> connection_;
    std::string sqlstate_;
};

}  // namespace boathouse::catalog
