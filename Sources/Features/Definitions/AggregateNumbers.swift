/// The numbers beside `agg` in a features file, as text; each belongs to some aggregates only.
struct AggregateNumbers {
  let n: String?
  let q: String?
  let resolution: String?

  /// - Throws: `definition` for an unknown aggregate, and for numbers that are missing, out of range or of another aggregate.
  func function(_ name: String, _ map: DefinitionMap) throws(FeatureError) -> AggregateFunction {
    let names = AggregateFunction.names
    guard names.contains(name) else {
      throw Self.refusal(
        "there is no agg \(name)\(Suggestion.text(for: name, among: names)); there are \(names.joined(separator: ", "))", "agg", map)
    }
    for (key, text, owner) in [("n", n, "last_n"), ("q", q, "approx_quantile")] where text != nil && name != owner {
      throw Self.refusal("\(key) belongs to \(owner), not to \(name)", key, map)
    }
    if let function = AggregateFunction(name: name, n: n.flatMap { Int($0) }, q: q.flatMap { Double($0) }) { return function }
    let (key, text, expected) =
      name == "last_n" ? ("n", n, "an integer from 1 to \(AggregateFunction.nMax)") : ("q", q, "a number from 0 to 1")
    throw Self.refusal("\(name) needs \(key), \(expected)" + (text.map { ", found '\($0)'" } ?? ""), key, map)
  }

  func window(_ text: String?, _ map: DefinitionMap) throws(FeatureError) -> Window {
    guard let text, text != "all" else {
      guard resolution == nil else { throw Self.refusal("resolution needs a window with a beginning, found all", "resolution", map) }
      return .all
    }
    guard let micros = DurationText.micros(parsing: text) else {
      throw Self.refusal("window needs all or \(DurationText.expected), found '\(text)'", "window", map)
    }
    guard let resolution else { return .micros(micros) }
    guard let step = DurationText.micros(parsing: resolution) else {
      throw Self.refusal("resolution needs \(DurationText.expected), found '\(resolution)'", "resolution", map)
    }
    return .coarse(micros, resolution: step)
  }

  private static func refusal(_ text: String, _ key: String, _ map: DefinitionMap) -> FeatureError {
    FeatureError(.definition, "\(map.object): \(text)").located(map.place(key) ?? map.node.place)
  }
}
