// The changes of a table as server-sent events, for as long as the client and the box live.
//
// Pages of changes are read one after the other, each when the client has taken the one before, so a slow client costs
// a file and no memory. In between the stream waits in the watch without a thread; every kHeartbeat the client is told
// how far the lake has come, which also finds out whether it is still there. Privileges are judged at every page. An
// error is an event, and the stream's last.
//
// Used by one thread at a time, but for abandon(). See https://html.spec.whatwg.org/multipage/server-sent-events.html
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "http/abandonable_wait.hpp"
#include "http/change_page.hpp"

namespace boathouse::http {

class ChangeStream final : public BodySource, public std::enable_shared_from_this<ChangeStream> {
  public:
    static constexpr std::chrono::seconds kHeartbeat{15};

    // Begins with `first`. `place` is what the stream holds among those who follow.
    ChangeStream(std::shared_ptr<ApiState> state, Request request, feed::TableId table, ChangePage first,
                 std::shared_ptr<void> place);

    void next(std::function<void(std::string)> take) override;
    void abandon() override;

  private:
    void open(ChangePage page);
    std::string events_of_page();
    void read();
    void read_page();
    void await_change();
    void on_woken(const feed::SnapshotWatch::Woken& woken);
    void fail(const Response& problem);
    void give(std::string piece);
    std::string position_event() const;

    const std::shared_ptr<ApiState> state_;
    const std::shared_ptr<Abandonment> abandonment_;
    Request request_;
    const std::shared_ptr<void> place_;
    ChangeReader reader_;
    ChangePage page_;
    std::ifstream lines_;  // of page_
    bool over_ = false;
    bool is_begun_ = false;
    bool may_have_more_ = false;             // the last page had changes
    std::function<void(std::string)> take_;  // while a piece is wanted
    std::shared_ptr<void> working_;          // while a piece is wanted: the request is on its way
    AbandonableWait wait_;
};

}  // namespace boathouse::http
