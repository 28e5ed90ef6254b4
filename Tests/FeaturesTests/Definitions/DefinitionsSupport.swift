import Columns

@testable import Features

/// The example of the guide: two views of one dataset and a service over both.
let exampleYAML = """
  entities:
  - {name: user, keys: [{name: user_id, type: int64}]}
  - {name: merchant, keys: [{name: merchant_id, type: int64}]}
  feature_views:
  - name: user_spend
    entity: user
    source: transactions
    ttl: 30d
    where: "amount > 0"
    features:
    - {name: last_amount, expr: amount}
    - {name: spend_7d,  agg: sum, of: amount, window: 7d}
    - {name: online_share_30d, agg: avg, of: "case when is_online then 1 else 0 end", window: 30d}
    - {name: big_24h, agg: count, window: 24h, where: "amount > 100"}
  - name: merchant_volume
    entity: merchant
    source: transactions
    keys: {merchant_id: shop}
    features: [{name: volume_1h, agg: sum, of: amount, window: 1h}]
  feature_services:
  - name: fraud_v1
    features:
    - "user_spend:*"
    - merchant_volume:volume_1h
    - {view: user_spend, as: sender, join_keys: {user_id: sender_id}, features: [spend_7d]}
  """

let transactions = SourceTable(
  name: "transactions",
  schema: Schema([
    Field("user_id", .int64), Field("event_timestamp", .timestampMicros), Field("id", .string), Field("shop", .int32),
    Field("amount", .float64), Field("count", .int32), Field("is_online", .bool), Field("country", .string),
    Field("created", .timestampMicros), Field("price", .decimal(precision: 9, scale: 2)),
  ]),
  primaryKey: ["user_id", "event_timestamp", "id"], eventTime: "event_timestamp", createdTime: "created")

func parsed(_ yaml: String, file: String = "features/a.yaml") throws(FeatureError) -> DefinitionSet {
  try DefinitionSet.parse(files: [(name: file, yaml: yaml)])
}

/// The message of files that are refused, at parsing or at validation against `transactions`.
func refusal(_ yaml: String, source: SourceTable = transactions) -> String {
  do throws(FeatureError) {
    try parsed(yaml).validate(datasets: [source.name: source])
    return "no error"
  } catch {
    return error.description
  }
}

/// A file with one view of the given features, and one entity.
func oneView(_ features: String, extra: String = "") -> String {
  """
  entities: [{name: user, keys: [{name: user_id, type: int64}]}]
  feature_views:
  - name: v
    entity: user
    source: transactions
  \(extra.isEmpty ? "" : "  \(extra)\n")  features:
    - \(features)
  """
}
