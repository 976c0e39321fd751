// Changes to a client's text, and the way back from a place in the changed text to the place in the client's own.
//
// Changes are gathered in any order and applied at once; they must not overlap. Pure; one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace boathouse::syntax {

// From offsets in the changed text to offsets in the client's, in bytes. What a change put in maps to where it was put.
class PositionMap {
  public:
    std::size_t to_client(std::size_t offset) const;

  private:
    friend class Splices;
    struct Segment {
        std::size_t changed = 0;  // where the segment begins in the changed text
        std::size_t client = 0;   // … and in the client's
        bool is_client_text = true;
    };
    std::vector<Segment> segments_;
};

class Splices {
  public:
    void replace(std::size_t begin, std::size_t end, std::string text);
    void insert(std::size_t at, std::string text) { replace(at, at, std::move(text)); }
    void remove(std::size_t begin, std::size_t end) { replace(begin, end, " "); }
    bool empty() const { return changes_.empty(); }

    struct Applied {
        std::string text;
        PositionMap positions;
    };
    Applied apply(std::string_view text);

  private:
    struct Change {
        std::size_t begin;
        std::size_t end;
        std::string text;
    };
    std::vector<Change> changes_;
};

}  // namespace boathouse::syntax
