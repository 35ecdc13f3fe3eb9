#pragma once

#include <kestrion/kestrion.hpp>

#include <map>
#include <memory>
#include <string>

/// What is under test: an agent that pays money back.

/// Where the money is. Outlives any process.
struct bank {
  std::map<std::string, int> paid_cents = {{"A-7", 1'200}, {"A-8", 300}};
  std::map<std::string, int> refunded_cents = {};
};

struct invoice {
  std::string number;
};
BOOST_DESCRIBE_STRUCT(invoice, (), (number))

inline kestrion::agent refund_agent(const kestrion::model_ptr& model,
                                    const std::shared_ptr<bank>& money) {
  namespace k = kestrion;
  return k::agent("refunds")
    .model(model)
    .system("You pay invoices back. Look first what was paid.")
    .tool(
      "find_invoice", "What was paid, in cents.",
      [money](const invoice& x) {
        return std::to_string(money->paid_cents.at(x.number));
      },
      k::effect_contract::pure)
    .tool(
      "refund", "Pays an invoice back.",
      [money](const invoice& x) {
        money->refunded_cents[x.number] += money->paid_cents.at(x.number);
        return "paid back";
      },
      k::requires_approval()); // `once`, as gated tools are.
}
