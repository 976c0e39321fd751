// Access tokens: what a program shows instead of a user and a password, each for one role, under a name.
//
// They lie in the schema "http" of the box's own database, so all boxes of a catalog take the same ones, and a token
// that is revoked is refused by each of them at its next request. Only a token's SHA-256 is kept: 32 random bytes need
// no slow hash. A token belongs to a role by number and by name, so neither a role that is made anew under the name nor
// a database that was copied to another server brings one back to life. Free functions on a connection to the box's
// database, and pure ones; blocking. Errors, beside those of Connection: not_found, conflict, limit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

inline constexpr int kTokensMax = 10'000;  // of one catalog
// How a token begins, so that it is recognised where it should not lie.
inline constexpr std::string_view kTokenBegin = "boathouse_";

struct Token {
    std::string name{};
    std::string user{};        // a role; of one that is gone, as it was called
    bool is_alive = false;     // the role is there and may log in, and the token has not expired
    std::string created_at{};  // as PostgreSQL prints it, UTC
    std::string expires_at{};  // the same; empty: never
};

struct NewToken {
    std::string name;
    std::string user;
    std::optional<double> lifetime_seconds{};  // from now; nullopt: it does not expire
};

// Creates what is missing; several boxes may do so at once.
Status prepare_tokens(Connection& box);

// The token, which cannot be had again. Errors: not_found (no such role that may log in), conflict (the name is taken).
Result<Secret> make_token(Connection& box, const NewToken& token);
Status revoke_token(Connection& box, const std::string& name);
// By name.
Result<std::vector<Token>> read_tokens(Connection& box);

// Nullopt: there is no such token, or it has been revoked. One that has ended otherwise is not alive.
Result<std::optional<Token>> find_token(Connection& box, const Secret& token);

// Whether it has the form of a token; anything else need not be asked for.
bool is_token(std::string_view text);

}  // namespace boathouse::catalog
