// Bytes on their way into a backup and out of it: a chain of sinks (compress, seal, store) or of sources (read, open,
// decompress), each of which holds a buffer of its own and nothing more, however large the backup is.
//
// A chain belongs to one thread. Whatever fails, fails the whole chain: nothing may be used of what came before. What a
// sink has taken counts only once finish() has succeeded; a sink that is destroyed before leaves nothing behind.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boathouse::backup {

class Sink {
  public:
    virtual ~Sink() = default;
    virtual Status write(std::string_view bytes) = 0;
    // That was all. Called once, and nothing after it.
    virtual Status finish() = 0;
};

class Source {
  public:
    virtual ~Source() = default;
    // Up to `size` bytes; 0 at the end alone.
    virtual Result<std::size_t> read(char* buffer, std::size_t size) = 0;
};

// Until the buffer is full or the source has ended: how much it was.
Result<std::size_t> read_full(Source& source, char* buffer, std::size_t size);

// Everything, from one to the other; the sink is not finished. How many bytes it was.
Result<long long> copy(Source& source, Sink& sink);

// gzip (RFC 1952), so that `gunzip` reads what is not sealed.
std::unique_ptr<Sink> gzip_sink(std::unique_ptr<Sink> below);
// `name` is for the errors. Errors: corrupt (damaged, or cut off).
std::unique_ptr<Source> gunzip_source(std::unique_ptr<Source> below, std::string name);

// What passes through, counted, with its SHA-256 (hexadecimal) once it has ended.
class DigestSink final : public Sink {
  public:
    explicit DigestSink(std::unique_ptr<Sink> below);
    ~DigestSink() override;
    Status write(std::string_view bytes) override;
    Status finish() override;

    long long bytes() const { return bytes_; }
    const std::string& sha256() const { return sha256_; }  // after finish()

  private:
    struct State;
    std::unique_ptr<Sink> below_;
    std::unique_ptr<State> state_;
    long long bytes_ = 0;
    std::string sha256_;
};

// The same of a source, read to its end.
struct Digest {
    long long bytes = 0;
    std::string sha256{};
    friend bool operator==(const Digest&, const Digest&) = default;
};
Result<Digest> digest_of(Source& source);

}  // namespace boathouse::backup
