// /v1/…: SQL and ingest over HTTP, for users of the SQL door.
//
// Api holds what requests share: the SQL door's threads (so that statements of both doors are bounded together), its
// gatherer, sessions of the engine for requests, and a clock's thread for time limits. A handler takes a request on a
// network thread, answers what needs no statement at once, and puts the rest among the SQL door's statements; when
// their queue is full, the client is told 429. Create it after the SQL door, add its routes before the server starts;
// stop() waits for requests that are on their way, so let it go before the SQL door and the gatherer.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "feed/feed.hpp"
#include "gateway/request_sessions.hpp"
#include "gateway/sql_door.hpp"
#include "http/followers.hpp"
#include "http/router.hpp"
#include "ingest/request_keys.hpp"

namespace boathouse::http {

// What the requests of an Api share; as long as the last of them.
struct ApiState {
    ApiState(gateway::SqlDoor& sql_door, feed::Feed& feed_of_changes, ingest::RequestKeys* request_keys,
             std::uint64_t body_bytes_limit)
        : door(sql_door),
          services(sql_door.services()),
          sessions(services),
          feed(feed_of_changes),
          keys(request_keys),
          body_bytes_max(body_bytes_limit) {}

    gateway::SqlDoor& door;
    gateway::SessionServices& services;
    gateway::RequestSessions sessions;
    feed::Feed& feed;
    Followers followers;
    ingest::RequestKeys* const keys;  // null: there is no database for them
    const std::uint64_t body_bytes_max;
    boost::asio::thread_pool timers{1};

    std::mutex mutex;
    std::condition_variable changed;
    std::set<std::shared_ptr<Abandonment>> on_their_way;  // under mutex: of requests
};

// A session of the engine's for as long as it lives, under the role's statement_timeout; the client's going away
// interrupts what it runs.
class Statement {
  public:
    static engine::Outcome<std::unique_ptr<Statement>> begin(ApiState& state, const Request& request);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    engine::Session& engine() { return session_->engine(); }
    // What has been made becomes the caller's.
    void own_made();
    // Why what was run has failed, with what is known of an interruption.
    engine::QueryError reason(engine::QueryError error) const;

  private:
    struct Interrupter;
    Statement(ApiState& state, const Request& request, std::unique_ptr<gateway::RequestSession> session);

    ApiState& state_;
    std::shared_ptr<Abandonment> abandonment_;
    std::unique_ptr<gateway::RequestSession> session_;
    std::shared_ptr<Interrupter> interrupter_;
};

class Api {
  public:
    // `keys` may be null; what is there outlives the SQL door's threads.
    Api(gateway::SqlDoor& door, feed::Feed& feed, ingest::RequestKeys* keys, std::uint64_t body_bytes_max);

    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    void add_routes(Router& router);

    // Interrupts what runs and waits until every request is over. After the server has stopped.
    void stop();

  private:
    const std::shared_ptr<ApiState> state_;  // shared with requests that are on their way
};

// Makes it one of the requests that are on their way, which stop() waits for, as long as what is returned lives.
std::shared_ptr<void> on_its_way(const std::shared_ptr<ApiState>& state, const std::shared_ptr<Abandonment>& request);

// Puts `job` among the SQL door's statements, or answers 429. The job must answer.
void run_as_statement(ApiState& state, const Respond& respond, std::function<void()> job);

// POST /v1/sql (sql_request.cpp).
void answer_sql(const std::shared_ptr<ApiState>& state, Request request, const Respond& respond);
// POST /v1/tables/{schema}.{table}/rows (rows_request.cpp).
void answer_rows(const std::shared_ptr<ApiState>& state, Request request, Respond respond);

// GET /v1/tables/{schema}.{table}/changes (changes_request.cpp).
void answer_changes(const std::shared_ptr<ApiState>& state, Request request, const Respond& respond);
// GET /v1/consumers, POST and DELETE /v1/consumers/{consumer} (consumer_request.cpp).
void answer_consumers(const std::shared_ptr<ApiState>& state, const Request& request, const Respond& respond);
void answer_consumer(const std::shared_ptr<ApiState>& state, const Request& request, const Respond& respond);

// "text/csv; charset=utf-8" -> "text/csv", in lower case.
std::string media_type(std::string_view header);

}  // namespace boathouse::http
