#include "http/api.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cctype>
#include <mutex>

#include "base/log.hpp"
#include "gateway/made_objects.hpp"
#include "http/openapi.hpp"
#include "http/problem.hpp"

namespace boathouse::http {

using engine::Outcome;
using engine::QueryError;

// Reaches the engine's session from other threads, until the statement is over.
struct Statement::Interrupter {
    explicit Interrupter(boost::asio::thread_pool& pool) : timer(pool) {}

    void interrupt(bool is_timeout) {
        const std::lock_guard lock(mutex);
        if (engine == nullptr) return;
        timed_out = timed_out || is_timeout;
        engine->interrupt();
    }

    std::mutex mutex;
    engine::Session* engine = nullptr;  // under mutex
    bool timed_out = false;             // under mutex
    boost::asio::steady_timer timer;
};

Statement::Statement(ApiState& state, const Request& request, std::unique_ptr<gateway::RequestSession> session)
    : state_(state),
      abandonment_(request.abandonment),
      session_(std::move(session)),
      interrupter_(std::make_shared<Interrupter>(state.timers)) {
    interrupter_->engine = &session_->engine();
    if (const auto limit = session_->settings().limits().statement; limit.count() > 0) {
        interrupter_->timer.expires_after(limit);
        interrupter_->timer.async_wait([weak = std::weak_ptr(interrupter_)](boost::system::error_code error) {
            const auto interrupter = weak.lock();
            if (!error && interrupter) interrupter->interrupt(true);
        });
    }
    abandonment_->listen([interrupter = interrupter_] { interrupter->interrupt(false); });
}

Statement::~Statement() {
    abandonment_->stop_listening();
    {
        const std::lock_guard lock(interrupter_->mutex);
        interrupter_->engine = nullptr;
    }
    boost::asio::post(interrupter_->timer.get_executor(),
                      [interrupter = interrupter_] { interrupter->timer.cancel(); });
    state_.sessions.give_back(std::move(session_));
}

Outcome<std::unique_ptr<Statement>> Statement::begin(ApiState& state, const Request& request) {
    auto session = state.sessions.borrow(request.caller);
    if (!session) return session.error();
    return std::unique_ptr<Statement>(new Statement(state, request, std::move(*session)));
}

void Statement::own_made() {
    if (state_.services.exchange == nullptr) return;
    // What fails is logged there, and what was made stays the lake's owner's.
    static_cast<void>(gateway::hand_over_made(engine(), *state_.services.exchange, session_->caller().user));
}

QueryError Statement::reason(QueryError error) const {
    const std::lock_guard lock(interrupter_->mutex);
    if (error.sqlstate == "57014" && interrupter_->timed_out)
        error.message = "canceling statement due to statement timeout";
    return error;
}

Api::Api(gateway::SqlDoor& door, feed::Feed& feed, ingest::RequestKeys* keys, std::uint64_t body_bytes_max)
    : state_(std::make_shared<ApiState>(door, feed, keys, body_bytes_max)) {}

std::shared_ptr<void> on_its_way(const std::shared_ptr<ApiState>& state, const std::shared_ptr<Abandonment>& request) {
    {
        const std::lock_guard lock(state->mutex);
        state->on_their_way.insert(request);
    }
    return {nullptr, [state, request](void*) {
                const std::lock_guard lock(state->mutex);
                state->on_their_way.erase(request);
                state->changed.notify_all();
            }};
}

namespace {

// A handler whose request is on its way for as long as anybody may still answer it.
template <typename Handler>
LateHandler counted(const std::shared_ptr<ApiState>& state, Handler handler) {
    return [state, handler](Request request, Respond respond) {
        // Shared, because a std::function is copied.
        const std::shared_ptr<void> token = on_its_way(state, request.abandonment);
        handler(state, std::move(request),
                [respond = std::move(respond), token](Response response) { respond(std::move(response)); });
    };
}

}  // namespace

void Api::stop() {
    std::unique_lock lock(state_->mutex);
    for (const auto& request : state_->on_their_way) request->happen();
    state_->changed.wait(lock, [this] { return state_->on_their_way.empty(); });
}

Api::~Api() {
    stop();
}

void Api::add_routes(Router& router) {
    router.add({.path = "/v1/openapi.json",
                .handler =
                    [](const Request&) {
                        Response response;
                        response.body = std::string(kOpenApi);
                        return response;
                    },
                .is_blocking = false});
    using boost::beast::http::verb;
    router.add({.path = "/v1/sql", .method = verb::post, .late_handler = counted(state_, answer_sql)});
    router.add({.path = "/v1/tables/", .method = verb::post, .late_handler = counted(state_, answer_rows)});
    router.add({.path = "/v1/tables/", .late_handler = counted(state_, answer_changes)});
    router.add({.path = "/v1/consumers", .late_handler = counted(state_, answer_consumers)});
    router.add({.path = "/v1/consumers/", .method = verb::post, .late_handler = counted(state_, answer_consumer)});
    router.add({.path = "/v1/consumers/", .method = verb::delete_, .late_handler = counted(state_, answer_consumer)});
}

void run_as_statement(ApiState& state, const Respond& respond, std::function<void()> job) {
    auto guarded = [respond, job = std::move(job)] {
        try {
            job();
        } catch (const std::exception& exception) {
            log_error("http", {ErrorKind::internal, "a request to /v1/ failed", "", exception.what()});
            respond(problem(QueryError{"58000", "internal error; the box's log says more"}));
        }
    };
    if (state.door.statements().try_submit(std::move(guarded))) return;
    respond(problem(QueryError{"53400", "too many statements run and wait already"}));
}

std::string media_type(std::string_view header) {
    std::string type(header.substr(0, header.find(';')));
    type.erase(0, std::min(type.find_first_not_of(' '), type.size()));
    while (!type.empty() && type.back() == ' ') type.pop_back();
    for (char& letter : type) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return type;
}

}  // namespace boathouse::http
