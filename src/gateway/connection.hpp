// One client's socket: bytes in, frames to the session; the session's bytes out, as fast as the client takes them.
//
// The socket is used on the connection's strand, by the network threads (connection.cpp); what it takes at once is
// written by the session's job when no write is under way. The session runs one job at a time, on an executor
// (connection_job.cpp), or, for as long as it says that nothing will block, on the strand or on the thread that tells
// what was asked for; between the two lie the inbox and the outgoing buffer, both under mutex_ and both bounded: a
// full inbox stops reading, a full outgoing buffer ends the job until the client has taken what is there. So a slow
// client costs its buffers and no thread, and an idle one neither. Encryption and CancelRequest are settled here,
// before a session hears of anything; so are all time limits, on one timer.
//
// Shared ownership: operations under way on the socket, the executor's job and the door's list each keep it alive.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "gateway/executor.hpp"
#include "gateway/outgoing.hpp"
#include "gateway/session.hpp"
#include "gateway/tls_socket.hpp"

namespace boathouse::gateway {

inline constexpr std::size_t kInboxBytes = std::size_t{1024} * 1024;     // one message may be larger
inline constexpr std::size_t kOutgoingBytes = std::size_t{1024} * 1024;  // passed by at most kOutputBytes

struct ConnectionServices {
    SessionServices& sessions;
    Executor& statements;
    Executor& errands;
    Tls* tls;  // null: off
    bool require_tls;
    std::chrono::milliseconds log_in_timeout;
};

// Why a session that does nothing ends: what its client is told.
struct Farewell {
    const char* sqlstate;
    const char* message;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Socket = boost::asio::ip::tcp::socket;

    // `refused`: the door is full, and the client is told so.
    Connection(Socket socket, ConnectionServices& services, bool refused);

    void start();

    // The box stops: told to an idle client at once, to a busy one after its answer. Any thread.
    void ask_to_stop();
    // What runs ends with an error. Nothing, if nothing runs. Any thread.
    void interrupt(Interruption reason);
    // Now, whatever is going on. Any thread.
    void abort();

  private:
    // connection.cpp, on the strand.
    void read();
    void on_readable(boost::system::error_code error);
    void read_encrypted(char* bytes, std::size_t room);
    bool take_frames();
    bool before_session(const pgwire::Frame& frame);
    void open_session();
    bool begins_with_tls(boost::system::error_code& error);
    void start_tls();
    void shake_hands();
    void await(TlsSocket::Step step, std::function<void(boost::system::error_code)> then);
    void answer_directly(std::string bytes, std::function<void()> then);
    using Pieces = std::vector<boost::asio::const_buffer>;
    using Written = std::function<void(boost::system::error_code)>;
    void transmit(Pieces pieces, Written written);
    void write_outgoing();
    void on_written(boost::system::error_code error);
    void shut_down();
    void say_goodbye();
    void on_gone();
    void limit_log_in();
    void limit_statement(std::chrono::milliseconds limit, std::uint64_t statement);
    void limit_idleness(std::chrono::milliseconds limit, std::uint64_t idleness, Farewell farewell);
    void enqueue(std::vector<pgwire::Frame> frames);

    // connection_job.cpp, on an executor, or on any other thread where nothing blocks.
    void run_session();
    enum class Next { frame, resume, notify, farewell, over, later };
    Next next(pgwire::Frame& frame, bool& sync_follows, const pgwire::Buffer& out);
    bool may_notify_locked() const;
    Next become_idle_locked();
    bool send(pgwire::Buffer& out);
    void settle_locked();
    bool send_at_once(pgwire::Buffer& out);
    void start_writing_locked();
    bool await_commit(pgwire::Buffer& out);
    void on_committed();
    void on_notified();
    void hold_back(pgwire::Buffer& out, std::chrono::milliseconds delay);
    void end_session(pgwire::Buffer& out);
    void schedule_locked();
    bool hands_over_locked();
    void ask_locked();
    void on_newest(std::uint64_t question, const Result<cache::LakeVersion>& newest);
    bool is_errand_locked() const;
    void limit_next_statement_locked();
    void begin_statement_locked();
    void end_statement();

    Socket socket_;
    boost::asio::strand<boost::asio::any_io_executor> strand_;
    std::unique_ptr<TlsSocket> tls_;
    boost::asio::steady_timer timer_;  // of log-in, statement or idleness, whichever is now
    boost::asio::steady_timer pause_;  // holds an answer back; waits for the client's goodbye
    ConnectionServices& services_;
    const bool refused_;
    std::string input_;          // strand only
    bool direct_tls_ = false;    // strand only: TLS from the first byte
    bool startup_done_ = false;  // strand only: the session has its start-up packet
    bool reading_ = false;       // strand only

    std::mutex mutex_;
    std::deque<pgwire::Frame> inbox_;   // under mutex_
    std::size_t inbox_bytes_ = 0;       // under mutex_
    bool running_ = false;              // under mutex_: a job exists
    bool on_errand_ = false;            // under mutex_: and it is the errands' executor's
    bool at_once_ = false;              // under mutex_: or that of a thread on which nothing may block
    Executor::Ticket ticket_ = 0;       // under mutex_: the job's, of the statements' executor
    bool vetted_ = false;               // under mutex_: and what it begins with has been found to be fit for that
    bool parked_ = false;               // under mutex_: no job until outgoing_ has gone
    bool gone_ = false;                 // under mutex_: the client is not there any more
    std::optional<Farewell> farewell_;  // under mutex_: the session ends when it is idle
    bool closing_ = false;              // under mutex_: shut down once everything is written
    bool held_back_ = false;            // under mutex_: no job until an answer that waits has gone
    bool settled_ = false;              // under mutex_: all that has come is answered
    bool committing_ = false;           // under mutex_: no job until the session's rows are in the lake, or will not be
    bool asking_ = false;               // under mutex_: no job until the lake's newest snapshot is known
    std::uint64_t question_ = 0;        // under mutex_: which time
    pgwire::Buffer begun_;              // under mutex_: of the answer that waits for that
    std::uint64_t idleness_ = 0;        // under mutex_: which time without a command; a limit counts for one
    std::uint64_t statement_ = 0;       // under mutex_: which statement; a limit counts for one
    bool statement_limited_ = false;    // under mutex_: its limit is set
    Outgoing outgoing_;                 // under mutex_
    bool writing_ = false;              // under mutex_: a write is under way
    Outgoing::Batch in_flight_;         // strand only

    std::atomic<bool> logged_in_ = false;
    // Set and reset under mutex_. Used by the job; by others only under mutex_ while no job exists, or for interrupt().
    std::unique_ptr<Session> session_;
};

}  // namespace boathouse::gateway
