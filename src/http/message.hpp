// A request and a response as a handler sees them: plain values, no sockets.
//
// A request arrives whole (the server bounds its size); a response is a text or a file, the latter streamed from disk.
// Errors answer as JSON, {"error": …, "hint": …}, with the status that their kind calls for.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace boathouse::http {

struct Request {
    boost::beast::http::verb method = boost::beast::http::verb::get;
    std::string path;   // decoded, without the query
    std::string query;  // as sent, without '?'
    boost::beast::http::fields headers;
    std::string body;
    bool is_private = false;  // came in through the private Unix socket: the box's own user
};

struct Response {
    boost::beast::http::status status = boost::beast::http::status::ok;
    std::string content_type = "application/json";
    std::string body;
    std::string file;  // not empty: the body is this file's content
    std::vector<std::pair<std::string, std::string>> headers;
};

// May be called from any thread. A blocking one runs on a worker, the others on a network thread.
using Handler = std::function<Response(const Request&)>;

Response json_error(boost::beast::http::status status, const std::string& message, const std::string& hint = "");
Response json_error(const Error& error);

}  // namespace boathouse::http
