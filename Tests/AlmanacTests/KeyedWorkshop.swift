import Almanac

extension Workshop {
  /// A dataset `x` of values by key, served after `features` have been applied.
  static func keyed(_ values: [(key: Int64, value: Int)], features: String) throws -> Workshop {
    let workshop = try Workshop()
    try workshop.declare(
      "schemas/x.yaml",
      """
      apiVersion: v3.1.0
      kind: DataContract
      id: x
      version: 1.0.0
      status: active
      schema:
      - name: x
        properties:
        - {name: k, physicalType: int64, primaryKey: true}
        - {name: v, physicalType: int64}
      """)
    try workshop.declare("features/f.yaml", features)
    try workshop.apply()
    try workshop.commit("x", workshop.write("x.csv", "k,v\n" + values.map { "\($0.key),\($0.value)\n" }.joined()))
    _ = try workshop.repository.materialize()
    return workshop
  }
}
