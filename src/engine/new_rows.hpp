// Rows that an INSERT of values has made and that are not in the lake yet.
//
// Made by Session::evaluate() with the statement's own casts, defaults and functions, checked for NOT NULL, and owned
// by whoever is to write them: the session's own transaction (Session::write), or a LakeWriter, which puts the rows of
// many statements into one commit. Immutable once made; may pass from thread to thread and outlive its session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "access/needs.hpp"

namespace boathouse::engine {

class NewRows {
  public:
    NewRows(NewRows&&) noexcept;
    NewRows& operator=(NewRows&&) noexcept;
    ~NewRows();

    std::uint64_t count() const;
    std::size_t bytes() const;  // of memory, about
    // What it is for: equal for rows that may go into one INSERT.
    std::shared_ptr<const void> shape() const;
    const std::string& table() const;
    // What whoever has them written has to be allowed: to insert into the table as a whole.
    access::Needs needs() const;

    struct Impl;  // new_rows_impl.hpp, for this folder only
    explicit NewRows(std::unique_ptr<Impl> impl);
    Impl& impl() const { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::engine
