#include "server/contract/json_parse.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include "absl/strings/charconv.h"
#include "boost/json/array.hpp"
#include "boost/json/basic_parser_impl.hpp"
#include "boost/json/error.hpp"
#include "boost/json/object.hpp"
#include "boost/json/parse_options.hpp"
#include "boost/json/storage_ptr.hpp"
#include "boost/json/string.hpp"
#include "boost/json/string_view.hpp"
#include "boost/json/value_stack.hpp"

namespace msab {
namespace {

namespace json = boost::json;

// Makes a value of what boost::json::basic_parser reads, as Boost's own parser does, with doubles
// converted anew from their text. The names are what basic_parser calls.
class ValueHandler {
 public:
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  // The first values lie in `buffer` of `size` bytes, which must outlive this.
  ValueHandler(unsigned char* buffer, size_t size) : values_(json::storage_ptr(), buffer, size) {
    values_.reset();
  }

  // Once, after the whole document was read.
  json::value Release() { return values_.release(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(size_t size, json::error_code&) {
    values_.push_object(size);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(size_t size, json::error_code&) {
    values_.push_array(size);
    return true;
  }
  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, size_t, json::error_code&) {
    values_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, size_t, json::error_code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, size_t, json::error_code&) {
    values_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(int64_t value, json::string_view, json::error_code&) {
    number_.clear();
    values_.push_int64(value);
    return true;
  }
  bool on_uint64(uint64_t value, json::string_view, json::error_code&) {
    number_.clear();
    values_.push_uint64(value);
    return true;
  }
  bool on_double(double, json::string_view part, json::error_code& error) {
    number_.append(part.data(), part.size());
    double value = 0;
    const absl::from_chars_result result =
        absl::from_chars(number_.data(), number_.data() + number_.size(), value);
    number_.clear();
    // Out of range is ±0 where the number is too small, and its greatest double where it is too
    // large.
    if (result.ec == std::errc::result_out_of_range && std::abs(value) > 1) {
      error = json::make_error_code(json::error::exponent_overflow);
      return false;
    }
    values_.push_double(value);
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    values_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack values_;
  // What has been read of a number.
  std::string number_;
};

}  // namespace

json::value ParseJson(std::string_view text, boost::system::error_code& error, size_t max_depth) {
  unsigned char buffer[4096];
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<ValueHandler> parser(options, buffer, sizeof buffer);
  const size_t read = parser.write_some(/*more=*/false, text.data(), text.size(), error);
  if (error) return nullptr;
  if (read < text.size()) {
    error = json::make_error_code(json::error::extra_data);
    return nullptr;
  }
  return parser.handler().Release();
}

}  // namespace msab
