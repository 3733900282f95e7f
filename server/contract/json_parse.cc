#include "server/contract/json_parse.h"

#include <cmath>

#include "boost/json/error.hpp"
#include "boost/json/parse.hpp"

namespace msab {
namespace {

// False: a number below `value` is beyond what a double holds.
bool MakeFinite(boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::double_:
      // Only a zero times an infinite power of ten is NaN.
      if (std::isnan(value.get_double())) value = 0.0;
      return std::isfinite(value.get_double());
    case boost::json::kind::array:
      for (boost::json::value& element : value.get_array()) {
        if (!MakeFinite(element)) return false;
      }
      return true;
    case boost::json::kind::object:
      for (auto& member : value.get_object()) {
        if (!MakeFinite(member.value())) return false;
      }
      return true;
    default:
      return true;
  }
}

}  // namespace

boost::json::value ParseJson(std::string_view text, boost::system::error_code& error) {
  boost::json::value value =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  if (error || MakeFinite(value)) return value;
  error = boost::json::make_error_code(boost::json::error::exponent_overflow);
  return nullptr;
}

}  // namespace msab
