#ifndef MSAB_CONTRACT_JSON_PARSE_H_
#define MSAB_CONTRACT_JSON_PARSE_H_

#include <string_view>

#include "boost/json/value.hpp"
#include "boost/system/error_code.hpp"

namespace msab {

// Reads JSON (RFC 8259) that a stranger sent; every number in the result is finite. Boost.JSON
// alone makes an infinity of 1e400 and NaN of 0e400, and writes them out again as words that are no
// JSON, so one client's number could spoil what others are sent. Here the first is refused, as RFC
// 8259 §6 allows (`error` is exponent_overflow, Boost's own word for still larger exponents), and
// the second is the zero that it says.
//
// At most 32 levels deep. Null with `error` set if it is not JSON. Any thread.
boost::json::value ParseJson(std::string_view text, boost::system::error_code& error);

}  // namespace msab

#endif  // MSAB_CONTRACT_JSON_PARSE_H_
