#include "ingest/gatherer.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <utility>

#include "catalog/pg_snapshot.hpp"

namespace boathouse::ingest {

using engine::LakeWriter;
using engine::QueryError;

namespace {

// DuckLake has tried for a while itself when it reports a conflict. Doubled with each try, and spread, so that boxes
// that collided do not meet again.
constexpr std::chrono::milliseconds kConflictPause{5};

// Beyond these, who may insert where is asked anew.
constexpr std::size_t kKnownMax = 1'000;

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
        write(batch, refuse(batch));
        batch.clear();
        lock.lock();
    }
}

// Once for neighbours that have the same.
void Gatherer::each_right(const Batch& batch, const std::function<void(const Right&, const engine::NewRows&)>& take) {
    Right last;
    for (const std::shared_ptr<Member>& member : batch) {
        if (member->role_.empty()) continue;
        for (const engine::NewRows& rows : member->rows_) {
            if (last.second == rows.shape() && last.first == member->role_) continue;
            last = {member->role_, rows.shape()};
            take(last, rows);
        }
    }
}

bool Gatherer::learn(const Right& right, const engine::NewRows& rows) {
    const Judgement judgement = may_(right.first, rows);
    if (judgement.snapshot != known_in_ || known_.size() >= kKnownMax) {
        known_.clear();
        known_in_ = judgement.snapshot;
    }
    if (judgement.may && !known_in_.empty()) known_.insert(right);
    return judgement.may;
}

// Takes the members out whose role may not do what they want. All of them have arrived: what PostgreSQL says now is
// good for each. So is what it said before, if the commit sees that nothing was committed since that snapshot, which is
// the answer; empty if everybody was asked about.
std::string Gatherer::refuse(Batch& batch) {
    std::map<Right, bool> asked;
    std::string since;
    bool relies = true;
    while (relies && (since.empty() || since != known_in_)) {  // what is learnt may end what was known
        since = known_in_;
        relies = false;
        each_right(batch, [&](const Right& right, const engine::NewRows& rows) {
            if (asked.count(right) != 0) return;
            if (known_.count(right) != 0) {
                relies = true;
            } else {
                asked.emplace(right, learn(right, rows));
            }
        });
    }
    const auto is_refused = [&](const std::shared_ptr<Member>& member) {
        return std::any_of(member->rows_.begin(), member->rows_.end(), [&](const engine::NewRows& rows) {
            const auto entry = asked.find({member->role_, rows.shape()});
            return entry != asked.end() && !entry->second;
        });
    };
    if (std::all_of(asked.begin(), asked.end(), [](const auto& one) { return one.second; })) return relies ? since : "";
    const auto refused = std::stable_partition(batch.begin(), batch.end(), std::not_fn(is_refused));
    for (auto member = refused; member != batch.end(); ++member) answer(**member, Fate::refused);
    batch.erase(refused, batch.end());
    return relies ? since : "";
}

// Gives every member of the batch its fate. `since`: what refuse() has answered.
void Gatherer::write(Batch& batch, std::string since) {
    while (!batch.empty()) {
        const LakeWriter::Written written = try_write(batch, since);
        const bool committed = written.verdict == LakeWriter::Verdict::committed;
        known_in_ = committed ? catalog::snapshot_with(known_in_, written.transaction) : "";
        if (known_in_.empty()) known_.clear();
        if (!since.empty() && !committed && written.verdict != LakeWriter::Verdict::unknown) {
            since = refuse(batch);
            continue;
        }
        if (written.verdict == LakeWriter::Verdict::stale) {
            answer_stale(batch, written.stale);
            continue;
        }
        if (written.verdict == LakeWriter::Verdict::failed && batch.size() > 1) {
            for (std::shared_ptr<Member>& member : batch) {
                Batch alone{std::move(member)};
                write(alone, "");
            }
            return;
        }
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

LakeWriter::Written Gatherer::try_write(const Batch& batch, const std::string& since) {
    std::vector<const engine::NewRows*> rows;
    for (const std::shared_ptr<Member>& member : batch) {
        for (const engine::NewRows& some : member->rows_) rows.push_back(&some);
    }
    LakeWriter::Extras extras = extras_of(batch);
    extras.since = since;
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
