// What went wrong with a request to /v1/…, as problem details (RFC 9457): what is wrong, where, and what to do.
//
// The members: `title` (what), `status`, `code` (PostgreSQL's SQLSTATE), and where there is something to say `detail`,
// `hint` (what to do) and `position` (of the byte in the statement, from 1). Pure functions, any thread.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "engine/query_error.hpp"
#include "http/message.hpp"

namespace boathouse::http {

// With the status that the SQLSTATE calls for.
Response problem(const engine::QueryError& error, const boost::json::object& more = {});

// For what is about HTTP itself.
Response problem(boost::beast::http::status status, const std::string& title, const std::string& hint = "");

}  // namespace boathouse::http
