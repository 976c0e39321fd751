// GET /v1/tables/{schema}.{table}/changes: what has changed in a table since a cursor.
//
// As NDJSON an answer is one page, which may be waited for; as server-sent events it is a stream without an end
// (change_stream.hpp). Both read on the SQL door's threads and wait without one.
#include <algorithm>
#include <boost/url/parse_query.hpp>
#include <charconv>

#include "base/log.hpp"
#include "http/abandonable_wait.hpp"
#include "http/change_page.hpp"
#include "http/change_stream.hpp"
#include "http/consumer_request.hpp"
#include "http/problem.hpp"

namespace boathouse::http {
namespace {

using boost::beast::http::field;
using boost::beast::http::status;
using engine::Outcome;
using engine::QueryError;

constexpr long long kLimit = 10'000;
constexpr long long kLimitMax = 1'000'000;
constexpr long long kWaitMaxSeconds = 60;

struct ChangesOptions {
    std::optional<feed::Position> since{};
    long long limit = kLimit;
    long long wait_seconds = 0;
    std::string consumer{};
    bool streams = false;
};

QueryError invalid(std::string message, std::string hint = "") {
    QueryError error{"22023", std::move(message)};
    error.hint = std::move(hint);
    return error;
}

Outcome<feed::Position> position_of(const std::string& name, const std::string& text) {
    if (const auto position = feed::parse_position(text)) return *position;
    return invalid(name + " is a cursor or the number of a snapshot, not \"" + text + "\"");
}

Outcome<long long> number_of(const std::string& name, const std::string& text, long long least, long long most) {
    long long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= least && number <= most) return number;
    return invalid(fmt::format("{} is a whole number from {} to {}, not \"{}\"", name, least, most, text));
}

Outcome<void> take_parameter(const std::string& name, const std::string& value, ChangesOptions& options) {
    if (name == "since") {
        const auto position = position_of(name, value);
        if (!position) return position.error();
        options.since = *position;
    } else if (name == "limit" || name == "wait") {
        const auto number =
            name == "limit" ? number_of(name, value, 1, kLimitMax) : number_of(name, value, 0, kWaitMaxSeconds);
        if (!number) return number.error();
        if (options.streams) return invalid(name + " is for NDJSON: a stream of events has no end");
        (name == "limit" ? options.limit : options.wait_seconds) = *number;
    } else if (name == "consumer") {
        if (value.empty() || value.size() > kConsumerNameBytesMax)
            return invalid(fmt::format("a consumer's name has between 1 and {} bytes", kConsumerNameBytesMax));
        options.consumer = value;
    } else {
        return invalid("unknown parameter \"" + name + "\"", "Known are since, limit, wait and consumer.");
    }
    return {};
}

// A client of events that connects again says where it was (HTML Standard, section 9.2.4).
Outcome<ChangesOptions> options_of(const Request& request, bool streams) {
    ChangesOptions options;
    options.streams = streams;
    if (!request.query.empty()) {
        const auto parameters = boost::urls::parse_query(request.query);
        if (!parameters) return invalid("the query part of the address cannot be read");
        for (const auto& parameter : boost::urls::params_view(*parameters)) {
            if (auto taken = take_parameter(parameter.key, parameter.value, options); !taken) return taken.error();
        }
    }
    const auto last = request.headers["Last-Event-ID"];
    if (last.empty()) return options;
    const auto position = position_of("Last-Event-ID", std::string(last.data(), last.size()));
    if (!position) return position.error();
    options.since = *position;
    return options;
}

// The name in "/v1/tables/sales.orders/changes"; a table without a schema is public's.
std::optional<engine::TableName> table_of(std::string_view path) {
    constexpr std::string_view kBegin = "/v1/tables/";
    constexpr std::string_view kEnd = "/changes";
    if (!path.starts_with(kBegin) || !path.ends_with(kEnd) || path.size() <= kBegin.size() + kEnd.size())
        return std::nullopt;
    const std::string_view name = path.substr(kBegin.size(), path.size() - kBegin.size() - kEnd.size());
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return engine::TableName{"public", std::string(name)};
    if (dot == 0 || dot + 1 == name.size()) return std::nullopt;
    return engine::TableName{std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
}

class ChangesRequest : public std::enable_shared_from_this<ChangesRequest> {
  public:
    ChangesRequest(std::shared_ptr<ApiState> state, Request request, Respond respond, engine::TableName name,
                   ChangesOptions options, std::shared_ptr<void> place)
        : state_(std::move(state)),
          request_(std::move(request)),
          respond_(std::move(respond)),
          name_(std::move(name)),
          options_(std::move(options)),
          place_(std::move(place)),
          deadline_(std::chrono::steady_clock::now() + std::chrono::seconds(options_.wait_seconds)),
          wait_(state_->feed.watch) {}

    void start() {
        run_as_statement(*state_, respond_, [self = shared_from_this()] { self->begin(); });
    }

  private:
    void begin();
    std::optional<Response> find_start();
    void read();
    void await_change();
    void on_woken(const feed::SnapshotWatch::Woken& woken);
    Response answer_with(ChangePage page) const;

    const std::shared_ptr<ApiState> state_;
    const Request request_;
    const Respond respond_;
    const engine::TableName name_;
    const ChangesOptions options_;
    const std::shared_ptr<void> place_;  // among those who follow
    const std::chrono::steady_clock::time_point deadline_;
    ChangeReader reader_;
    AbandonableWait wait_;
};

// Where reading begins: at `since`, at the consumer's position, or now.
std::optional<Response> ChangesRequest::find_start() {
    const auto newest = state_->feed.watch.newest();
    if (!newest) return catalog_problem(newest.error());
    std::optional<feed::Position> start = options_.since;
    // Before a consumer is told so: its position does not go back.
    if (start && *start > feed::after(*newest)) return catalog_problem(feed::in_the_future(*start, *newest));
    if (!options_.consumer.empty()) {
        auto known = take_up_consumer(*state_, *request_.caller, options_.consumer, reader_.table, options_.since);
        if (auto* refused = std::get_if<Response>(&known)) return std::move(*refused);
        start = std::get<feed::Position>(known);
    }
    if (start) {
        reader_.position = *start;
        return std::nullopt;
    }
    reader_.position = feed::after(*newest);
    return std::nullopt;
}

void ChangesRequest::begin() {
    const auto table = state_->feed.lake.ask(
        [&](catalog::Connection& lake) { return feed::find_table(lake, name_.schema, name_.table); });
    if (!table) return respond_(catalog_problem(table.error()));
    reader_.table = *table;
    if (auto refused = refuse_reader(*state_, request_, *table)) return respond_(std::move(*refused));
    if (auto refused = find_start()) return respond_(std::move(*refused));
    read();
}

void ChangesRequest::read() {
    auto page = read_changes(*state_, request_, reader_, options_.streams ? kLimitMax : options_.limit);
    if (auto* refused = std::get_if<Response>(&page)) return respond_(std::move(*refused));
    auto& changes = std::get<ChangePage>(page);
    if (options_.streams) {
        Response response;
        response.content_type = "text/event-stream";
        response.headers.emplace_back("Cache-Control", "no-store");
        response.headers.emplace_back("X-Accel-Buffering", "no");  // a proxy is not to hold events back
        response.source = std::make_shared<ChangeStream>(state_, request_, reader_.table, std::move(changes), place_);
        return respond_(std::move(response));
    }
    reader_.position = changes.reaches;
    if (changes.file.empty() && std::chrono::steady_clock::now() < deadline_) return await_change();
    respond_(answer_with(std::move(changes)));
}

void ChangesRequest::await_change() {
    // A client that has gone away is not waited for. What waits keeps the request, the request must not keep itself.
    request_.abandonment->listen([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->wait_.give_up()) self->respond_(problem(engine::interruption()));
    });
    const bool waits =
        wait_.begin({.after = reader_.position.snapshot - 1, .table = reader_.table.number, .deadline = deadline_},
                    [self = shared_from_this()](const auto& woken) { self->on_woken(woken); });
    if (!waits) respond_(problem(engine::interruption()));
}

// On the watch's thread.
void ChangesRequest::on_woken(const feed::SnapshotWatch::Woken& woken) {
    if (woken.reason == feed::SnapshotWatch::Reason::changed)
        return run_as_statement(*state_, respond_, [self = shared_from_this()] { self->read(); });
    ChangePage nothing{.reaches = reader_.position};
    if (woken.reason == feed::SnapshotWatch::Reason::timeout)
        nothing.reaches = std::max(nothing.reaches, feed::after(woken.seen));
    respond_(answer_with(std::move(nothing)));
}

Response ChangesRequest::answer_with(ChangePage page) const {
    Response response;
    response.content_type = "application/x-ndjson";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Boathouse-Cursor", feed::to_text(page.reaches));
    response.file = std::move(page.file);
    response.keeps = std::move(page.keeps);
    return response;
}

// nullopt: neither form is accepted.
std::optional<bool> wants_events(std::string_view accept) {
    if (accept.empty()) return false;
    for (std::size_t at = 0; at <= accept.size();) {
        const std::size_t comma = std::min(accept.find(',', at), accept.size());
        const std::string type = media_type(accept.substr(at, comma - at));
        at = comma + 1;
        if (type == "text/event-stream") return true;
        if (type == "application/x-ndjson" || type == "*/*" || type == "application/*") return false;
    }
    return std::nullopt;
}

}  // namespace

void answer_changes(const std::shared_ptr<ApiState>& state, Request request, const Respond& respond) {
    request.room.reset();  // it has no body, and may wait for long
    auto table = table_of(request.path);
    if (!table) {
        return respond(problem(status::not_found, "there is nothing at " + request.path,
                               "Changes are at /v1/tables/SCHEMA.TABLE/changes."));
    }
    const auto accept = request.headers[field::accept];
    const auto streams = wants_events({accept.data(), accept.size()});
    if (!streams) {
        return respond(problem(status::not_acceptable, "no answer is made in the form that Accept asks for",
                               "Known are application/x-ndjson and text/event-stream."));
    }
    auto options = options_of(request, *streams);
    if (!options) {
        Response refused = problem(options.error());
        refused.status = status::bad_request;
        return respond(std::move(refused));
    }
    std::shared_ptr<void> place;
    if (*streams || options->wait_seconds > 0) {
        place = state->followers.take_place(request.caller->user);
        if (!place) {
            QueryError full{"53400", "too many requests wait for changes or stream them"};
            full.hint = fmt::format("At most {} do, and {} of one user.", Followers::kMax, Followers::kOfOneUserMax);
            return respond(problem(full));
        }
    }
    std::make_shared<ChangesRequest>(state, std::move(request), respond, std::move(*table), std::move(*options),
                                     std::move(place))
        ->start();
}

}  // namespace boathouse::http
