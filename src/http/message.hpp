// A request and a response as a handler sees them: plain values, no sockets.
//
// A request arrives whole (the server bounds its size); a response is a text or a file, the latter streamed from disk.
// Errors answer as JSON, {"error": …, "hint": …}, with the status that their kind calls for; those of /v1/… as problem
// details (problem.hpp).
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "gateway/callers.hpp"

namespace boathouse::http {

// That nobody waits for the answer any more. Told by the connection's thread, heard by whichever thread answers.
class Abandonment {
  public:
    // `tell` is called once the client is gone, at once if it is; on the network's thread, so it must not block.
    void listen(std::function<void()> tell);
    // After this, what listen() was given is not called any more.
    void stop_listening();
    void happen();

  private:
    std::mutex mutex_;
    std::function<void()> tell_;  // under mutex_
    bool happened_ = false;       // under mutex_
};

struct Request {
    boost::beast::http::verb method = boost::beast::http::verb::get;
    std::string path;   // decoded, without the query
    std::string query;  // as sent, without '?'
    boost::beast::http::fields headers;
    std::string body;
    bool is_private = false;  // came in through the private Unix socket: the box's own user
    gateway::Peer peer{};     // empty address: the private socket
    // Of routes that ask for one.
    std::shared_ptr<const gateway::Caller> caller{};
    std::shared_ptr<Abandonment> abandonment{};
    std::shared_ptr<void> room{};  // kept for the body
};

// A body that is made while it is sent, in pieces: whoever sends asks for the next one when the client has taken the
// last.
class BodySource {
  public:
    virtual ~BodySource() = default;
    // Calls `take` once, on any thread, now or later, with the next piece; an empty one: that was all.
    virtual void next(std::function<void(std::string)> take) = 0;
    // Nobody takes any more: a next() that is under way ends soon. On the network's thread, so it must not block.
    virtual void abandon() = 0;
};

struct Response {
    boost::beast::http::status status = boost::beast::http::status::ok;
    std::string content_type = "application/json";
    std::string body;
    std::string file;                      // not empty: the body is this file's content
    std::shared_ptr<BodySource> source{};  // instead of a body; shared with what it is waiting for
    std::vector<std::pair<std::string, std::string>> headers;
    std::shared_ptr<void> keeps{};       // what the file needs, until it is sent
    std::chrono::milliseconds delay{0};  // before it is sent
};

// May be called from any thread. A blocking one runs on a worker, the others on a network thread.
using Handler = std::function<Response(const Request&)>;

// Takes the request with it and answers once, on any thread, now or later.
using Respond = std::function<void(Response)>;
using LateHandler = std::function<void(Request, Respond)>;

Response json_error(boost::beast::http::status status, const std::string& message, const std::string& hint = "");
Response json_error(const Error& error);

}  // namespace boathouse::http
