#include "catalog/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

// What each connection sets. Over TCP the server looks whether a silent client is still there: one whose machine is
// gone would hold its locks for hours, among them the one by which its box is the lake's keeper.
constexpr const char* kSessionSettings =
    "SELECT pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('tcp_keepalives_idle', '30', false),"
    " pg_catalog.set_config('tcp_keepalives_interval', '10', false),"
    " pg_catalog.set_config('tcp_keepalives_count', '3', false),"
    " pg_catalog.set_config('tcp_user_timeout', '60000', false)";

struct ResultCloser {
    void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ResultCloser>;

struct BufferCloser {
    void operator()(char* buffer) const { PQfreemem(buffer); }
};
using Buffer = std::unique_ptr<char, BufferCloser>;

// libpq ends its messages with a newline and may put several lines into one.
std::string one_line(std::string_view message) {
    std::string line;
    for (const char c : message) line += c == '\n' || c == '\t' ? ' ' : c;
    line.erase(std::find_if(line.rbegin(), line.rend(), [](char c) { return c != ' '; }).base(), line.end());
    return line;
}

// Whose fault a SQLSTATE is. https://www.postgresql.org/docs/current/errcodes-appendix.html
ErrorKind kind_of(std::string_view sqlstate) {
    static constexpr std::array<std::pair<std::string_view, ErrorKind>, 22> kKinds{{
        {"08", ErrorKind::unavailable},     // connection exception
        {"23", ErrorKind::conflict},        // integrity constraint
        {"28", ErrorKind::permission},      // authorization
        {"3D", ErrorKind::not_found},       // no such database
        {"3F", ErrorKind::not_found},       // no such schema
        {"40", ErrorKind::conflict},        // serialization, deadlock
        {"42501", ErrorKind::permission},   // insufficient privilege
        {"42704", ErrorKind::not_found},    // undefined object
        {"42710", ErrorKind::conflict},     // duplicate object
        {"42P01", ErrorKind::not_found},    // undefined table
        {"42P04", ErrorKind::conflict},     // duplicate database
        {"42P07", ErrorKind::conflict},     // duplicate table
        {"42883", ErrorKind::not_found},    // undefined function
        {"53300", ErrorKind::unavailable},  // too many connections
        {"53", ErrorKind::limit},           // disk full, out of memory
        {"54", ErrorKind::limit},           // program limit
        {"55006", ErrorKind::conflict},     // object in use
        {"55P03", ErrorKind::unavailable},  // lock not available
        {"57", ErrorKind::unavailable},     // shutting down, cancelled
        {"58", ErrorKind::unavailable},     // the system under PostgreSQL
        {"XX001", ErrorKind::corrupt},      // data corrupted
        {"XX002", ErrorKind::corrupt},      // index corrupted
    }};
    for (const auto& [prefix, kind] : kKinds) {
        if (sqlstate.starts_with(prefix)) return kind;
    }
    return sqlstate.empty() ? ErrorKind::unavailable : ErrorKind::internal;
}

// A failed connection has no SQLSTATE in libpq's interface, so the server's words decide (lc_messages is C).
ErrorKind kind_of_refusal(std::string_view message) {
    const auto says = [message](std::string_view words) { return message.find(words) != std::string_view::npos; };
    if (says("authentication failed") || says("no password supplied") || says("no pg_hba.conf entry") ||
        says("permission denied")) {
        return ErrorKind::permission;
    }
    if (says("does not exist") && says("FATAL")) return ErrorKind::not_found;
    return ErrorKind::unavailable;
}

void log_notice(void*, const char* message) {
    log_debug("catalog", "{}", one_line(message));
}

}  // namespace

void Connection::Closer::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const Endpoint& endpoint, std::chrono::milliseconds connect_timeout) {
    // libpq counts in whole seconds, and takes anything below two for two.
    const auto seconds = std::max<long long>(2, std::chrono::ceil<std::chrono::seconds>(connect_timeout).count());
    // dbname is expanded as a conninfo string; what follows it overrides it. So no password is ever part of a string.
    const std::string conninfo = endpoint.conninfo();
    const std::string timeout = std::to_string(seconds);
    const std::array<const char*, 5> keywords{"dbname", "password", "connect_timeout", "client_encoding", nullptr};
    const std::array<const char*, 5> values{conninfo.c_str(), endpoint.password.reveal().c_str(), timeout.c_str(),
                                            "UTF8", nullptr};
    Connection connection(PQconnectdbParams(keywords.data(), values.data(), 1));
    PGconn* raw = connection.connection_.get();
    if (raw == nullptr) return Error{ErrorKind::limit, "Out of memory for a connection to the catalog", "", ""};
    if (PQstatus(raw) != CONNECTION_OK) {
        const std::string message = one_line(PQerrorMessage(raw));
        return Error{kind_of_refusal(message), "Cannot connect to the catalog: " + message, "", ""};
    }
    PQsetNoticeProcessor(raw, log_notice, nullptr);
    if (auto set = connection.query(kSessionSettings); !set) return set.error();
    return connection;
}

Result<Rows> Connection::query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
    return rows_of(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                nullptr, nullptr, 0));
}

Status Connection::execute(const std::string& sql) {
    if (auto rows = rows_of(PQexec(connection_.get(), sql.c_str())); !rows) return rows.error();
    return {};
}

Status Connection::prepare(const std::string& name, const std::string& sql) {
    if (auto done = rows_of(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr)); !done)
        return done.error();
    return {};
}

Status Connection::send_prepared(const std::string& name, const std::vector<std::optional<std::string>>& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
    const int sent = PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                         values.data(), nullptr, nullptr, 0);
    if (sent == 1) return {};
    return failure(PQerrorMessage(connection_.get()), nullptr, nullptr);
}

Result<Rows> Connection::receive() {
    // Takes what is there without asking first whether anything is: an answer that has come costs one system call.
    static_cast<void>(PQconsumeInput(connection_.get()));
    PGresult* const first = PQgetResult(connection_.get());
    if (first == nullptr) return failure("nothing was asked", nullptr, nullptr);
    auto rows = rows_of(first);
    while (PGresult* const rest = PQgetResult(connection_.get())) PQclear(rest);
    return rows;
}

Parameter Parameter::of(const std::optional<std::string>& text) {
    if (!text) return {"", Form::null};
    return {*text, Form::text};
}

Status Connection::send(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
        std::vector<const char*> values;
        std::vector<int> lengths;
        std::vector<int> formats;
        for (const Parameter& parameter : step.parameters) {
            values.push_back(parameter.form == Parameter::Form::null ? nullptr : parameter.bytes.c_str());
            lengths.push_back(static_cast<int>(parameter.bytes.size()));
            formats.push_back(parameter.form == Parameter::Form::binary ? 1 : 0);
        }
        const int sent = PQsendQueryPrepared(connection_.get(), step.statement.c_str(), static_cast<int>(values.size()),
                                             values.data(), lengths.data(), formats.data(), 0);
        if (sent != 1) return failure(PQerrorMessage(connection_.get()), nullptr, nullptr);
    }
    if (PQpipelineSync(connection_.get()) != 1) return failure(PQerrorMessage(connection_.get()), nullptr, nullptr);
    return {};
}

// After each result libpq gives a null; after the last one, the mark of PQpipelineSync().
Result<std::vector<Rows>> Connection::receive_all(std::size_t count) {
    std::vector<Rows> all;
    std::optional<Error> failed;
    std::string sqlstate;
    while (true) {
        PGresult* const result = PQgetResult(connection_.get());
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            break;
        }
        if (result == nullptr) {
            if (PQstatus(connection_.get()) == CONNECTION_OK) continue;
            if (!failed) failed = failure(PQerrorMessage(connection_.get()), nullptr, nullptr);
            break;
        }
        if (failed) {
            PQclear(result);  // of a step that was not run
            continue;
        }
        auto rows = rows_of(result);
        if (rows) {
            all.push_back(std::move(*rows));
        } else {
            failed = rows.error();
            sqlstate = sqlstate_;
        }
    }
    sqlstate_ = sqlstate;
    if (failed) return *failed;
    if (all.size() != count) return failure("the server has answered less than it was asked", nullptr, nullptr);
    return all;
}

Result<std::vector<Rows>> Connection::run(const std::vector<Step>& steps) {
    if (PQenterPipelineMode(connection_.get()) != 1)
        return failure(PQerrorMessage(connection_.get()), nullptr, nullptr);
    const Status sent = send(steps);
    auto rows = sent ? receive_all(steps.size()) : Result<std::vector<Rows>>(sent.error());
    PQexitPipelineMode(connection_.get());
    return rows;
}

bool Connection::is_alive() {
    if (PQstatus(connection_.get()) != CONNECTION_OK) return false;
    pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
    if (::poll(&socket, 1, 0) <= 0) return true;
    // Notices, or the end.
    return PQconsumeInput(connection_.get()) == 1 && PQstatus(connection_.get()) == CONNECTION_OK;
}

Result<Rows> Connection::rows_of(pg_result* raw) {
    const PgResult result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char* primary = PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY);
        return failure(primary != nullptr ? primary : PQerrorMessage(connection_.get()),
                       PQresultErrorField(raw, PG_DIAG_SQLSTATE), PQresultErrorField(raw, PG_DIAG_MESSAGE_HINT));
    }
    sqlstate_.clear();
    Rows rows(static_cast<std::size_t>(PQntuples(raw)));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < PQnfields(raw); ++column) {
            const int number = static_cast<int>(row);
            if (PQgetisnull(raw, number, column) != 0) {
                rows[row].emplace_back(std::nullopt);
            } else {
                rows[row].emplace_back(PQgetvalue(raw, number, column));
            }
        }
    }
    return rows;
}

int Connection::server_version() const {
    return PQserverVersion(connection_.get());
}

bool Connection::is_superuser() const {
    const char* status = PQparameterStatus(connection_.get(), "is_superuser");
    return status != nullptr && std::string_view(status) == "on";
}

bool Connection::used_password() const {
    return PQconnectionUsedPassword(connection_.get()) != 0;
}

std::string Connection::identifier(std::string_view name) const {
    const Buffer quoted(PQescapeIdentifier(connection_.get(), name.data(), name.size()));
    return quoted ? quoted.get() : "\"\"";  // fails on bytes that are not UTF-8; "" is then refused by the parser
}

std::string Connection::literal(std::string_view text) const {
    const Buffer quoted(PQescapeLiteral(connection_.get(), text.data(), text.size()));
    return quoted ? quoted.get() : "''";
}

Result<std::string> Connection::scram_verifier(const std::string& user, const Secret& password) const {
    const Buffer verifier(
        PQencryptPasswordConn(connection_.get(), password.reveal().c_str(), user.c_str(), "scram-sha-256"));
    if (!verifier) {
        return Error{ErrorKind::internal, "Cannot compute the SCRAM verifier of a password", "",
                     one_line(PQerrorMessage(connection_.get()))};
    }
    return std::string(verifier.get());
}

Error Connection::failure(const char* message, const char* sqlstate, const char* hint) {
    sqlstate_ = sqlstate != nullptr ? sqlstate : "";
    Error error{kind_of(sqlstate_), one_line(message), hint != nullptr ? one_line(hint) : "", ""};
    if (!sqlstate_.empty()) error.message += " (SQLSTATE " + sqlstate_ + ")";
    return error;
}

}  // namespace boathouse::catalog
