import Columns
import Features

extension FeaturePlan {
  /// What the on-demand features of the plan are worth: what the same evaluator gives of a label frame.
  ///
  /// A null is `nullValue`. A row that fails, or that reads a value that could not be computed, is `invalid`, and only that row.
  /// - Parameters:
  ///   - lookups: per entry of `lookups` one value per row.
  ///   - requests: per entry of `requests` its column.
  /// - Complexity: O(rows); a failing row makes all rows be evaluated one by one
  func computed(_ lookups: [[FeatureValue]], requests: [Column], count: Int) -> [[FeatureValue]] {
    guard !onDemand.isEmpty else { return [] }
    let columns = zip(self.lookups, lookups).map { lookup, values in Column(lookup.type, values.map(\.value)) }
    var results: [[FeatureValue]] = []
    var resultColumns: [Column] = []
    for bound in onDemand {
      let step = bound.step
      let fields = bound.requests.map { requests[$0] }
      var inputs: [Column] = []
      var isInvalid = [Bool](repeating: false, count: count)
      for input in step.inputs {
        let values: [FeatureValue]
        switch input {
        case .lookup(let index):
          inputs.append(columns[index])
          values = lookups[index]
        case .onDemand(let index):
          inputs.append(resultColumns[index])
          values = results[index]
        }
        for (row, value) in values.enumerated() where value.status == .invalid { isInvalid[row] = true }
      }
      let scalars = Self.evaluate(step.feature, fields, inputs, count)
      let values = (0..<count).map { row -> FeatureValue in
        guard let scalar = scalars[row], !isInvalid[row] else { return FeatureValue(.null, .invalid, eventTimeMicros: 0) }
        return FeatureValue(scalar, scalar == .null ? .nullValue : .present, eventTimeMicros: 0)
      }
      results.append(values)
      resultColumns.append(Column(step.feature.type, values.map(\.value)))
    }
    return results
  }

  /// Per row the value; nil where the evaluation fails.
  private static func evaluate(_ feature: CompiledOnDemand, _ fields: [Column], _ inputs: [Column], _ count: Int) -> [Scalar?] {
    if let column = try? feature.evaluate(request: fields, inputs: inputs, rowCount: count) { return column.scalars }
    return (0..<count).map { row in
      func one(_ column: Column) -> Column { column.slice(from: row, count: 1) }
      return try? feature.evaluate(request: fields.map(one), inputs: inputs.map(one), rowCount: 1).scalar(at: 0)
    }
  }
}
