// Writes an Arrow IPC stream into memory, message by message.
//
// nanoarrow encodes. One thread. The bytes may be taken after each message, so that whoever writes them on holds one
// batch at a time. What fails: internal (a type that nanoarrow does not write: dictionaries, views).
#pragma once

#include <memory>
#include <nanoarrow/nanoarrow.hpp>
#include <string_view>

#include "base/error.hpp"

namespace boathouse::arrow {

class StreamWriter {
  public:
    // `schema`: a struct of the columns. It is copied.
    static Result<StreamWriter> begin(const ArrowSchema& schema);
    StreamWriter(StreamWriter&&) noexcept;
    StreamWriter& operator=(StreamWriter&&) noexcept;
    ~StreamWriter();

    Status write(const ArrowArray& batch);
    Status finish();

    // What has been written since forget_bytes(); good until the next call of any kind.
    std::string_view bytes() const;
    void forget_bytes();

  private:
    struct Impl;
    explicit StreamWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::arrow
