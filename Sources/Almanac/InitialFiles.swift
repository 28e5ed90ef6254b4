/// What `almanac init` writes: examples that are all comments, so that nothing is registered until somebody wants it.
enum InitialFiles {
  static let all: [(name: String, text: String)] = [
    ("almanac.yaml", settings), ("schemas/example.yaml", contract), ("features/example.yaml", features),
  ]

  private static let settings = """
    # An Almanac repository. Contracts live in schemas/, feature definitions in features/, history in .almanac/.
    # After a change to either folder: almanac apply --plan, then almanac apply.
    version: 1

    """

  private static let contract = """
    # A dataset's contract (Open Data Contract Standard 3.1.0). Remove the leading "# " of the lines below, then run: almanac apply
    # apiVersion: v3.1.0
    # kind: DataContract
    # id: transactions
    # version: 1.0.0
    # status: active
    # schema:
    # - name: transactions
    #   properties:
    #   - {name: user_id, logicalType: integer, physicalType: int64, required: true, primaryKey: true, primaryKeyPosition: 1}
    #   - {name: event_timestamp, logicalType: timestamp, physicalType: 'timestamp[us,UTC]', required: true, primaryKey: true, primaryKeyPosition: 2}
    #   - {name: amount, logicalType: number, physicalType: float64, logicalTypeOptions: {minimum: 0}}
    #   customProperties:
    #   - {property: almanac, value: {eventTime: event_timestamp, partition: month}}

    """

  private static let features = """
    # Feature definitions. Remove the leading "# " of the lines below, then run: almanac apply
    # entities:
    # - {name: user, keys: [{name: user_id, type: int64}]}
    # feature_views:
    # - name: user_spend
    #   entity: user
    #   source: transactions
    #   ttl: 30d
    #   features:
    #   - {name: last_amount, expr: amount}
    #   - {name: spend_7d, agg: sum, of: amount, window: 7d}
    # on_demand_features:
    # - name: amount_ratio
    #   request: [{name: amount, type: float64}]
    #   inputs: ["user_spend:spend_7d"]
    #   expr: "request.amount / nullif(spend_7d / 7, 0)"
    # feature_services:
    # - name: fraud_v1
    #   features: ["user_spend:*", amount_ratio]

    """
}
