#include "ingest/gatherer.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace boathouse::ingest {

using engine::LakeWriter;
using engine::QueryError;

namespace {

// DuckLake has tried for a while itself when it reports a conflict. Doubled with each try, and spread, so that boxes
// that collided do not meet again.
constexpr std::chrono::milliseconds kConflictPause{5};

void pause_after(int tries) {
    static thread_local std::mt19937 dice{std::random_device()()};
    std::uniform_real_distribution<double> spread(0.5, 1.5);
    std::this_thread::sleep_for(kConflictPause * (1 << tries) * spread(dice));
}

QueryError conflict(const QueryError& cause) {
    QueryError error{"40001", "could not serialize access: other clients of the catalog committed first, each time"};
    error.detail = cause.message;
    error.hint = "Run the statement again.";
    return error;
}

}  // namespace

Gatherer::Gatherer(Write write, May may, const Clock& clock, Options options)
    : write_(std::move(write)), may_(std::move(may)), clock_(clock), options_(options), committer_([this] {
          work();
      }) {}

Gatherer::~Gatherer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    committer_.join();
}

std::shared_ptr<Member> Gatherer::join(std::vector<engine::NewRows>& rows, std::function<void()> answered,
                                       LakeWriter::Extras extras, std::string role) {
    auto member = std::make_shared<Member>();
    member->note_ = std::move(extras.note);
    member->wants_snapshot_ = extras.wants_snapshot;
    member->role_ = std::move(role);
    for (const engine::NewRows& some : rows) member->bytes_ += some.bytes();
    member->answered_ = std::move(answered);
    member->joined_at_ = clock_.steady_now();
    {
        const std::lock_guard lock(mutex_);
        // What is too large for everybody's room gets in when it is alone.
        if (bytes_ > 0 && bytes_ + member->bytes_ > options_.waiting_bytes_max) return nullptr;
        bytes_ += member->bytes_;
        member->rows_ = std::move(rows);
        waiting_.push_back(member);
    }
    arrived_.notify_one();
    return member;
}

bool Gatherer::withdraw(Member& member) {
    std::shared_ptr<Member> withdrawn;  // what it holds goes after the lock
    const std::lock_guard lock(mutex_);
    const auto entry =
        std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.get() == &member; });
    if (entry == waiting_.end()) return false;
    withdrawn = std::move(*entry);
    waiting_.erase(entry);
    bytes_ -= member.bytes_;
    member.fate_ = Fate::withdrawn;
    return true;
}

Counters Gatherer::counters() const {
    const std::lock_guard lock(mutex_);
    Counters now = counters_;
    now.waiting = waiting_.size();
    return now;
}

void Gatherer::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        Batch batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
        waiting_.clear();
        lock.unlock();
        refuse(batch);
        write(batch);
        batch.clear();
        lock.lock();
    }
}

// Takes the members out whose role may not do what they want. All of them have arrived: what PostgreSQL says now is
// good for each.
void Gatherer::refuse(Batch& batch) {
    std::map<std::pair<std::string, const void*>, bool> known;  // by role and table
    const auto may = [&](const Member& member) {
        return std::all_of(member.rows_.begin(), member.rows_.end(), [&](const engine::NewRows& rows) {
            const auto [entry, is_new] = known.try_emplace({member.role_, rows.shape()}, false);
            if (is_new) entry->second = may_(member.role_, rows);
            return entry->second;
        });
    };
    Batch allowed;
    for (std::shared_ptr<Member>& member : batch) {
        if (member->role_.empty() || may(*member)) {
            allowed.push_back(std::move(member));
        } else {
            answer(*member, Fate::refused);
        }
    }
    batch = std::move(allowed);
}

// Gives every member of the batch its fate.
void Gatherer::write(Batch& batch) {
    while (!batch.empty()) {
        const LakeWriter::Written written = try_write(batch);
        if (written.verdict == LakeWriter::Verdict::stale) {
            answer_stale(batch, written.stale);
            continue;
        }
        if (written.verdict == LakeWriter::Verdict::failed && batch.size() > 1) {
            for (std::shared_ptr<Member>& member : batch) {
                Batch alone{std::move(member)};
                write(alone);
            }
            return;
        }
        const bool committed = written.verdict == LakeWriter::Verdict::committed;
        if (committed) {
            const std::lock_guard lock(mutex_);
            ++counters_.batches;
            if (written.by_extension) ++counters_.by_extension;
        }
        for (const std::shared_ptr<Member>& member : batch) {
            member->snapshot_ = written.snapshot;
            if (!committed)
                member->error_ =
                    written.verdict == LakeWriter::Verdict::conflict ? conflict(written.error) : written.error;
            answer(*member, committed ? Fate::committed : Fate::failed);
        }
        return;
    }
}

LakeWriter::Extras Gatherer::extras_of(const Batch& batch) {
    LakeWriter::Extras extras;
    for (const std::shared_ptr<Member>& member : batch) {
        extras.wants_snapshot = extras.wants_snapshot || member->wants_snapshot_;
        if (member->note_.empty()) continue;
        extras.note += extras.note.empty() ? "[" : ",";
        extras.note += member->note_;
    }
    if (!extras.note.empty()) extras.note += "]";
    return extras;
}

LakeWriter::Written Gatherer::try_write(const Batch& batch) {
    std::vector<const engine::NewRows*> rows;
    for (const std::shared_ptr<Member>& member : batch) {
        for (const engine::NewRows& some : member->rows_) rows.push_back(&some);
    }
    const LakeWriter::Extras extras = extras_of(batch);
    for (int tries = 1;; ++tries) {
        LakeWriter::Written written = write_(rows, extras);
        if (written.verdict != LakeWriter::Verdict::conflict) return written;
        {
            const std::lock_guard lock(mutex_);
            ++counters_.conflicts;
        }
        if (tries == options_.conflict_tries_max) return written;
        pause_after(tries);
    }
}

// Takes the members out whose rows, or some of them, are for a table that has changed. `stale` is one for each of the
// rows of the batch.
void Gatherer::answer_stale(Batch& batch, const std::vector<bool>& stale) {
    Batch fresh;
    std::size_t row = 0;
    for (std::shared_ptr<Member>& member : batch) {
        bool is_stale = false;
        for (std::size_t i = 0; i < member->rows_.size(); ++i) is_stale = stale[row++] || is_stale;
        if (is_stale) {
            answer(*member, Fate::stale);
        } else {
            fresh.push_back(std::move(member));
        }
    }
    batch = std::move(fresh);
}

void Gatherer::answer(Member& member, Fate fate) {
    {
        const std::lock_guard lock(mutex_);
        bytes_ -= member.bytes_;
        if (fate == Fate::committed) {
            ++counters_.members;
            for (const engine::NewRows& some : member.rows_) counters_.rows += some.count();
        }
        counters_.waited += clock_.steady_now() - member.joined_at_;
    }
    member.rows_.clear();
    const auto answered = std::move(member.answered_);
    member.fate_ = fate;  // the member may be gone from here on, but for the batch that holds it
    answered();
}

}  // namespace boathouse::ingest
