// Why a statement failed, in PostgreSQL's terms: what a client of the SQL door is told.
//
// The message is free of internals and secrets. DuckDB's exceptions become QueryErrors in src/engine/ and nowhere else.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace boathouse::engine {

struct QueryError {
    // Not an aggregate: a string alone is no error, so that an Outcome<std::string> can be made from one.
    QueryError() = default;
    QueryError(std::string state, std::string text) : sqlstate(std::move(state)), message(std::move(text)) {}

    std::string sqlstate;  // five characters, PostgreSQL's appendix "Error Codes"
    std::string message;
    std::string detail;
    std::string hint;
    std::string context;       // where in the data, as PostgreSQL's CONTEXT: "COPY t, line 3, column b: \"x\""
    std::string routine{};     // of PostgreSQL's source, where drivers know an error by it
    std::size_t position = 0;  // of the byte in the statement's text, from 1; 0: nowhere in particular
};

// What a statement ends with that was stopped from outside.
inline QueryError interruption() {
    return {"57014", "canceling statement due to user request"};
}

[[noreturn]] inline void throw_exception_from_error(const QueryError& error, const boost::source_location&) {
    throw ErrorException(Error{ErrorKind::internal, error.message, error.hint, error.sqlstate});
}

template <class T>
using Outcome = boost::system::result<T, QueryError>;

}  // namespace boathouse::engine
