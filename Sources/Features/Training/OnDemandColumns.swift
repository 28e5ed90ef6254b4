import Columns

/// On-demand features over a label frame, or a batch of one.
extension CompiledService {
  /// The columns of the service from what was looked up for the label rows.
  ///
  /// - Parameters:
  ///   - lookups: per entry of `outputs` its column, in label order.
  ///   - request: what `requestColumns` gave for these rows.
  /// - Throws: `evaluation` when an on-demand feature fails, naming the row within the batch.
  package func resultColumns(lookups: [Column], request: [[Column]], rowCount: Int) throws(FeatureError) -> [Column] {
    var computed: [Column] = []
    for (step, fields) in zip(onDemand, request) {
      let inputs = step.inputs.map { input in
        switch input {
        case .lookup(let index): lookups[index]
        case .onDemand(let index): computed[index]
        }
      }
      do {
        computed.append(try step.feature.evaluate(request: fields, inputs: inputs, rowCount: rowCount))
      } catch {
        throw error.ofLabels()
      }
    }
    return results.map { result in
      switch result.source {
      case .lookup(let index): lookups[index]
      case .onDemand(let index): computed[index]
      }
    }
  }

  /// The request fields of every on-demand feature, from the label columns of their names.
  ///
  /// Floats take the nearest value, as they do online; other types take only what they hold exactly.
  /// - Throws: `labels` for a column that is missing or whose values are not of the declared type.
  package func requestColumns(of labels: Batch) throws(FeatureError) -> [[Column]] {
    var result: [[Column]] = []
    for step in onDemand {
      var columns: [Column] = []
      for field in step.feature.request { columns.append(try Self.column(field, of: step.feature, in: labels)) }
      result.append(columns)
    }
    return result
  }

  private static func column(
    _ field: RequestField, of feature: CompiledOnDemand, in labels: Batch
  ) throws(FeatureError) -> Column {
    let reader = "request.\(field.name) of on-demand feature \(feature.name)"
    guard let column = labels[field.name] else {
      let hint = Suggestion.text(for: field.name, among: labels.schema.fields.map(\.name))
      throw FeatureError(.labels, "Labels lack column \(field.name), which is \(reader)\(hint)")
    }
    do {
      return try field.type.isFloat ? column.castNearest(to: field.type) : column.castName(to: field.type, nanAsNull: false)
    } catch {
      throw FeatureError(
        .labels, "Cannot use label column \(field.name) as \(reader): \(error.text(row: FeatureError.rowMark))", row: error.row)
    }
  }

  /// What the columns are called, in service order.
  package func resultNames(fullNames: Bool) -> [String] {
    results.map { result in
      switch result.source {
      case .lookup(let index): name(of: outputs[index], fullNames: fullNames)
      case .onDemand(let index): onDemand[index].feature.name
      }
    }
  }

  /// The types that text label files are read with where their text could be taken for something else.
  package var requestFields: [Field] { onDemand.flatMap { $0.feature.request.map { Field($0.name, $0.type) } } }
}
