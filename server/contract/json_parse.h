#ifndef MSAB_CONTRACT_JSON_PARSE_H_
#define MSAB_CONTRACT_JSON_PARSE_H_

#include <cstddef>
#include <string_view>

#include "boost/json/value.hpp"
#include "boost/system/error_code.hpp"

namespace msab {

// Reads JSON (RFC 8259) that a stranger sent. A number that is no integer of 64 bits becomes the
// double nearest to it, so that what is written out again is the number that was sent. Boost.JSON
// 1.81's own conversion can be off by the last digit (10e24 comes out as 1.0000000000000001E25),
// and makes an infinity of 1e400 and NaN of 0e400, which it writes as words that are no JSON: one
// client's number could spoil what others are sent. Here a number beyond what a double holds is
// refused, as RFC 8259 §6 allows (`error` is exponent_overflow), and one that is too small for it
// is zero.
//
// At most `max_depth` levels deep. Null with `error` set if it is not JSON. Any thread.
boost::json::value ParseJson(std::string_view text, boost::system::error_code& error,
                             size_t max_depth = 32);

}  // namespace msab

#endif  // MSAB_CONTRACT_JSON_PARSE_H_
