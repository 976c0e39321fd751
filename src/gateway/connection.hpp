// One client's socket: bytes in, frames to the session; the session's bytes out, as fast as the client takes them.
//
// The socket is used on the connection's strand, by the network threads; short answers alone are written by the
// executor when no write is under way. The session runs on the executor, one job at a time; between the two lie the
// inbox and the outgoing buffer, both under mutex_ and both bounded: a full inbox stops reading, a full outgoing buffer
// ends the job until the client has taken what is there. So a slow client costs its buffers and no thread. Encryption
// and CancelRequest are settled here, before a session hears of anything.
//
// Shared ownership: operations under way on the socket, the executor's job and the door's list each keep it alive.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <deque>
#include <memory>
#include <mutex>

#include "gateway/executor.hpp"
#include "gateway/session.hpp"
#include "gateway/tls.hpp"

namespace boathouse::gateway {

inline constexpr std::size_t kReadBytes = std::size_t{8} * 1024;  // at first; twice as much when a read fills it
inline constexpr std::size_t kReadBytesMax = std::size_t{256} * 1024;
inline constexpr std::size_t kInboxBytes = std::size_t{1024} * 1024;     // one message may be larger
inline constexpr std::size_t kOutgoingBytes = std::size_t{1024} * 1024;  // passed by at most kOutputBytes
// An answer up to this size is written by the thread that made it.
inline constexpr std::size_t kAtOnceBytes = std::size_t{64} * 1024;

struct ConnectionServices {
    SessionServices& sessions;
    Executor& executor;
    Tls* tls;  // null: off
    bool require_tls;
    std::chrono::milliseconds log_in_timeout;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Socket = boost::asio::ip::tcp::socket;

    // `refused`: the door is full, and the client is told so.
    Connection(Socket socket, ConnectionServices& services, bool refused);

    void start();

    // The box stops: told to an idle client at once, to a busy one after its answer. Any thread.
    void ask_to_stop();
    // Now, whatever is going on. Any thread.
    void abort();

  private:
    // On the strand.
    void read();
    void on_read(boost::system::error_code error, std::size_t count);
    bool take_frames();
    bool before_session(const pgwire::Frame& frame);
    void start_tls();
    void answer_directly(std::string bytes, std::function<void()> then);
    void write_outgoing();
    void on_written(boost::system::error_code error);
    void shut_down();
    void on_gone();
    void watch_log_in();

    // On the executor.
    void run_session();
    bool send(pgwire::Buffer& out);
    bool send_at_once(pgwire::Buffer& out);
    void end_session(pgwire::Buffer& out);

    void enqueue(pgwire::Frame frame);
    void schedule_locked();

    Socket socket_;
    boost::asio::strand<boost::asio::any_io_executor> strand_;
    std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
    boost::asio::steady_timer timer_;
    ConnectionServices& services_;
    const bool refused_;
    std::string input_;                    // strand only
    std::vector<char> chunk_;              // strand only
    std::size_t read_bytes_ = kReadBytes;  // strand only
    bool startup_done_ = false;            // strand only: the session has its start-up packet
    bool reading_ = false;                 // strand only

    std::mutex mutex_;
    std::deque<pgwire::Frame> inbox_;  // under mutex_
    std::size_t inbox_bytes_ = 0;      // under mutex_
    bool running_ = false;             // under mutex_: a job exists
    bool parked_ = false;              // under mutex_: the job ended because outgoing_ is full
    bool gone_ = false;                // under mutex_: the client is not there any more
    bool stop_asked_ = false;          // under mutex_
    bool closing_ = false;             // under mutex_: shut down once everything is written
    pgwire::Buffer outgoing_;          // under mutex_
    bool writing_ = false;             // under mutex_: a write is under way
    pgwire::Buffer in_flight_;         // strand only

    std::atomic<bool> logged_in_ = false;
    std::unique_ptr<Session> session_;  // set and reset under mutex_; used by the job, and by others for cancel() alone
};

}  // namespace boathouse::gateway
