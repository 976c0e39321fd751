#include "http/change_stream.hpp"

#include <algorithm>
#include <utility>

namespace boathouse::http {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;

}  // namespace

ChangeStream::ChangeStream(std::shared_ptr<ApiState> state, Request request, feed::TableId table, ChangePage first,
                           std::shared_ptr<void> place)
    : state_(std::move(state)),
      abandonment_(std::make_shared<Abandonment>()),
      request_(std::move(request)),
      place_(std::move(place)),
      reader_{std::move(table), {}},
      wait_(state_->feed.watch) {
    request_.abandonment = abandonment_;
    request_.room.reset();
    open(std::move(first));
}

void ChangeStream::open(ChangePage page) {
    page_ = std::move(page);
    reader_.position = page_.reaches;
    may_have_more_ = !page_.file.empty();
    if (may_have_more_) lines_.open(page_.file, std::ios::binary);
}

// Up to kPieceBytes of it, whole events; with its last one, how far it reaches.
std::string ChangeStream::events_of_page() {
    std::string events;
    std::string line;
    while (events.size() < kPieceBytes && std::getline(lines_, line)) {
        events += "id: " + cursor_of(line) + "\nevent: change\ndata: ";
        events += line;
        events += "\n\n";
    }
    if (lines_) return events;
    lines_ = std::ifstream();
    page_ = {};
    return events + position_event();
}

// An event without data is no event, but the client keeps its id.
std::string ChangeStream::position_event() const {
    return "id: " + feed::to_text(reader_.position) + "\n\n";
}

void ChangeStream::next(std::function<void(std::string)> take) {
    if (over_ || state_->feed.watch.is_stopping()) return take({});
    const bool is_first = !std::exchange(is_begun_, true);
    if (lines_.is_open()) return take(events_of_page());
    if (is_first) return take(position_event());
    take_ = std::move(take);
    working_ = on_its_way(state_, abandonment_);
    if (std::exchange(may_have_more_, false)) return read();
    await_change();
}

void ChangeStream::give(std::string piece) {
    const auto take = std::exchange(take_, nullptr);
    const auto working = std::exchange(working_, nullptr);
    take(std::move(piece));
}

void ChangeStream::read() {
    const Respond refused = [self = shared_from_this()](const Response& response) { self->fail(response); };
    run_as_statement(*state_, refused, [self = shared_from_this()] { self->read_page(); });
}

void ChangeStream::read_page() {
    constexpr long long kChangesMax = 1'000'000;
    auto page = read_changes(*state_, request_, reader_, kChangesMax);
    if (const auto* problem = std::get_if<Response>(&page)) return fail(*problem);
    open(std::get<ChangePage>(std::move(page)));
    if (!lines_.is_open()) return await_change();
    give(events_of_page());
}

void ChangeStream::await_change() {
    const bool waits = wait_.begin({.after = reader_.position.snapshot - 1,
                                    .table = reader_.table.number,
                                    .deadline = std::chrono::steady_clock::now() + kHeartbeat},
                                   [self = shared_from_this()](const auto& woken) { self->on_woken(woken); });
    if (!waits) give({});
}

// On the watch's thread.
void ChangeStream::on_woken(const feed::SnapshotWatch::Woken& woken) {
    using Reason = feed::SnapshotWatch::Reason;
    if (woken.reason == Reason::changed) return read();
    if (woken.reason == Reason::stopping) return give({});
    reader_.position = std::max(reader_.position, feed::after(woken.seen));
    give(position_event());
}

void ChangeStream::fail(const Response& problem) {
    over_ = true;
    std::string body = problem.body;
    std::erase(body, '\n');
    give("event: error\ndata: " + body + "\n\n");
}

void ChangeStream::abandon() {
    abandonment_->happen();
    if (wait_.give_up()) give({});
}

}  // namespace boathouse::http
