// What may fail says so in its return type: Result<T> holds a T or an Error.
//
// An Error carries a message that is safe to show to whoever asked (no secret, no internals), a hint that says what to
// do about it, and a private detail for the log. It is logged once, where it is handled, never on the way. The kind
// says whose fault it is and decides exit codes, HTTP statuses and SQLSTATEs in one switch each, without a default.
//
// Into base/ goes what every folder needs and what knows nothing of Boathouse: errors, log, clock, files, secrets,
// process identity. What knows PostgreSQL, DuckDB or an option lives elsewhere.
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace boathouse {

enum class ErrorKind {
    configuration,  // the operator's values are missing, malformed or contradict each other
    unavailable,    // something that is needed does not answer (yet): trying again may help
    permission,     // the operating system, PostgreSQL or the store refuses
    not_found,      // what was named does not exist
    conflict,       // what exists already stands in the way: a port, a lock, a second box
    corrupt,        // data on disk or in the catalog is not what it must be
    limit,          // a bound was reached: disk, memory, queue
    internal,       // our fault
};

struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string message{};  // one line, names what is wrong and where
    std::string hint{};     // what to do; may be empty
    std::string detail{};   // for the log only; may be empty

    // "message\nHint: hint", for people.
    std::string text() const { return hint.empty() ? message : message + "\nHint: " + hint; }
};

// Thrown by Result::value() on an Error: a programmer's mistake, or a main() that has nothing better to do.
class ErrorException : public std::runtime_error {
  public:
    explicit ErrorException(Error error) : std::runtime_error(error.text()), error_(std::move(error)) {}
    const Error& error() const { return error_; }

  private:
    Error error_;
};

// Found by argument-dependent lookup when value() is called on an error.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw ErrorException(error);
}

template <class T>
using Result = boost::system::result<T, Error>;

using Status = Result<void>;

}  // namespace boathouse
