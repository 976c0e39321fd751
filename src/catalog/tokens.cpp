#include "catalog/tokens.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/log.hpp"

namespace boathouse::catalog {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kRandomLetters = 2 * kRandomBytes;  // in hexadecimal

constexpr const char* kContents = R"sql(
SELECT pg_catalog.pg_advisory_xact_lock(7305804387);
CREATE SCHEMA IF NOT EXISTS http;
CREATE TABLE IF NOT EXISTS http.token (
    name text PRIMARY KEY, role_oid oid NOT NULL, role_name text NOT NULL, sha256 text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz);
)sql";

// Of a row r of pg_roles, as PostgreSQL itself decides it.
constexpr const char* kMayLogIn = "r.rolcanlogin AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.now())";

constexpr const char* kRead =
    "SELECT t.name, t.role_name, coalesce(r.rolcanlogin AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > now()), "
    "false)"
    " AND (t.expires_at IS NULL OR t.expires_at > now()), date_trunc('second', t.created_at AT TIME ZONE 'UTC'),"
    " date_trunc('second', t.expires_at AT TIME ZONE 'UTC') FROM http.token t"
    " LEFT JOIN pg_catalog.pg_roles r ON r.oid = t.role_oid AND r.rolname = t.role_name";

Token token_of(const Row& row) {
    return {row[0].value_or(""), row[1].value_or(""), row[2] == "t", row[3].value_or(""), row[4].value_or("")};
}

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
}

std::string sha256(const Secret& token) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const std::string& bytes = token.reveal();
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return hexadecimal(digest.data(), size);
}

// Why nothing was inserted.
Error refused(Connection& box, const NewToken& token) {
    const auto role =
        box.query(fmt::format("SELECT {} FROM pg_catalog.pg_roles r WHERE rolname = $1", kMayLogIn), {token.user});
    if (!role) return role.error();
    if (role->empty() || role->front().front() != "t") {
        return {ErrorKind::not_found, fmt::format("there is no user \"{}\" that may log in", token.user),
                "`boathouse user list` shows who there is.", ""};
    }
    const auto taken = box.query("SELECT 1 FROM http.token WHERE name = $1", {token.name});
    if (!taken) return taken.error();
    if (!taken->empty()) {
        return {ErrorKind::conflict, fmt::format("there is a token \"{}\" already", token.name),
                fmt::format("Take another name, or revoke it first: boathouse token revoke {}", token.name), ""};
    }
    return {ErrorKind::limit, fmt::format("there are {} tokens already", kTokensMax),
            "Revoke those that nobody uses any more: boathouse token list.", ""};
}

}  // namespace

Status prepare_tokens(Connection& box) {
    return box.execute(kContents);
}

Result<Secret> make_token(Connection& box, const NewToken& token) {
    std::array<unsigned char, kRandomBytes> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        return Error{ErrorKind::internal, "OpenSSL gives no random bytes", "", ""};
    Secret made(std::string(kTokenBegin) + hexadecimal(random.data(), random.size()));
    std::optional<std::string> seconds;
    if (token.lifetime_seconds) seconds = std::to_string(*token.lifetime_seconds);
    const auto inserted = box.query(
        fmt::format("INSERT INTO http.token (name, role_oid, role_name, sha256, expires_at) "
                    "SELECT $1, r.oid, r.rolname, $3, pg_catalog.now() + pg_catalog.make_interval(secs => $4::float8) "
                    "FROM pg_catalog.pg_roles r WHERE r.rolname = $2 AND {} "
                    "AND (SELECT count(*) FROM http.token) < $5::bigint ON CONFLICT DO NOTHING RETURNING name",
                    kMayLogIn),
        {token.name, token.user, sha256(made), seconds, std::to_string(kTokensMax)});
    if (!inserted) return inserted.error();
    if (inserted->empty()) return refused(box, token);
    return made;
}

Status revoke_token(Connection& box, const std::string& name) {
    const auto done = box.query("DELETE FROM http.token WHERE name = $1 RETURNING name", {name});
    if (!done) return done.error();
    if (!done->empty()) return {};
    return Error{ErrorKind::not_found, fmt::format("there is no token \"{}\"", name),
                 "`boathouse token list` shows those that there are.", ""};
}

Result<std::vector<Token>> read_tokens(Connection& box) {
    const auto rows = box.query(std::string(kRead) + " ORDER BY t.name");
    if (!rows) return rows.error();
    std::vector<Token> tokens;
    for (const Row& row : *rows) tokens.push_back(token_of(row));
    return tokens;
}

Result<std::optional<Token>> find_token(Connection& box, const Secret& token) {
    const auto rows = box.query(std::string(kRead) + " WHERE t.sha256 = $1", {sha256(token)});
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<Token>();
    return std::optional(token_of(rows->front()));
}

bool is_token(std::string_view text) {
    if (text.size() != kTokenBegin.size() + kRandomLetters || !text.starts_with(kTokenBegin)) return false;
    text.remove_prefix(kTokenBegin.size());
    return std::all_of(text.begin(), text.end(), [](unsigned char letter) { return std::isxdigit(letter) != 0; });
}

}  // namespace boathouse::catalog
