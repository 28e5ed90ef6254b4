import Columns

/// An on-demand feature bound to the types of what it reads.
package struct CompiledOnDemand: Sendable {
  /// What an input is, which is what evaluates to it.
  package enum Input: Hashable, Sendable {
    case feature(FeatureReference)
    /// Index into the list that this feature is part of; lower than its own index.
    case onDemand(Int)
  }

  package let name: String
  package let type: DataType
  /// All that are declared: what a caller must send does not depend on what the expression reads.
  package let request: [RequestField]
  /// Those that the expression reads.
  package let inputs: [Input]
  let expression: CompiledExpression
  /// Per column of the expression where its values come from.
  private let columns: [(name: String, source: Source)]

  private enum Source {
    case request(Int)
    case input(Int)
  }

  /// - Throws: `type`, `notFound` or `definition` as `compileExpression` does.
  init(
    _ feature: OnDemandFeature, inputs all: [(reference: FeatureReference, input: Input, type: DataType)]
  ) throws(FeatureError) {
    var fields: [Field] = []
    var sources: [String: (source: Source, isFeature: Bool)] = [:]
    for (index, field) in feature.request.enumerated() {
      fields.append(Field("request.\(field.name)", field.type))
      sources["request.\(field.name)"] = (.request(index), false)
    }
    let shortNames = Dictionary(grouping: all, by: \.reference.feature).mapValues(\.count)
    for (index, item) in all.enumerated() {
      let isUnique = shortNames[item.reference.feature] == 1
      for name in (isUnique ? [item.reference.feature] : []) + [item.reference.fullName] where sources[name] == nil {
        fields.append(Field(name, item.type))
        sources[name] = (.input(index), true)
      }
    }
    let path = DefinitionPath.onDemand(feature.name)
    expression = try compileExpression(feature.expression, schema: Schema(fields), context: path)
    name = feature.name
    type = expression.resultType
    request = feature.request
    var inputs: [Input] = []
    var places: [Int: Int] = [:]
    var columns: [(name: String, source: Source)] = []
    for column in expression.columns {
      guard let found = sources[column] else { preconditionFailure("An expression reads only columns of its schema") }
      guard case .input(let index) = found.source else {
        columns.append((column, found.source))
        continue
      }
      if places[index] == nil {
        places[index] = inputs.count
        inputs.append(all[index].input)
      }
      columns.append((column, .input(places[index] ?? 0)))
    }
    self.inputs = inputs
    self.columns = columns
  }

  /// The value for every row, canonical.
  ///
  /// - Parameters:
  ///   - request: the columns of `request`, of their types.
  ///   - inputs: the columns of `inputs`.
  /// - Throws: `evaluation` when a row fails, naming it.
  package func evaluate(request: [Column], inputs: [Column], rowCount: Int) throws(FeatureError) -> Column {
    precondition(request.count == self.request.count && inputs.count == self.inputs.count, "Every request field and input has a column")
    var fields: [Field] = []
    var values: [Column] = []
    for (name, source) in columns {
      let column =
        switch source {
        case .request(let index): request[index].canonicalized()
        case .input(let index): inputs[index]
        }
      fields.append(Field(name, column.type))
      values.append(column)
    }
    return try expression.evaluate(Batch(schema: Schema(fields), columns: values, rowCount: rowCount)).canonicalized()
  }
}

/// Compiles on-demand features in an order in which every one comes after those it reads.
package struct OnDemandCompiler {
  private let set: DefinitionSet
  private let typeOf: (FeatureReference) throws(FeatureError) -> DataType
  package private(set) var features: [CompiledOnDemand] = []
  private var done: [String: Int] = [:]
  private var underway: [String] = []

  /// Bounds the recursion; nobody stacks a tenth of it by hand.
  private static let depthMax = 64

  /// - Parameter typeOf: the type of a view's feature.
  package init(_ set: DefinitionSet, typeOf: @escaping (FeatureReference) throws(FeatureError) -> DataType) {
    self.set = set
    self.typeOf = typeOf
  }

  /// - Returns: the feature's index in `features`.
  /// - Throws: `notFound` for an unknown name, `definition` for a feature that reads itself, what the expression's compilation throws.
  package mutating func add(_ name: String) throws(FeatureError) -> Int {
    if let index = done[name] { return index }
    guard let feature = set.onDemandFeature(named: name) else {
      throw FeatureError(
        .notFound, "There is no on-demand feature \(name)\(Suggestion.text(for: name, among: set.onDemand.map(\.name)))")
    }
    let path = DefinitionPath.onDemand(name)
    if let start = underway.firstIndex(of: name) {
      throw FeatureError(.definition, "\(path) reads itself: \((underway[start...] + [name]).joined(separator: " → "))")
        .located(set.places[path])
    }
    guard underway.count < Self.depthMax else {
      throw FeatureError(.definition, "\(path): on-demand features read each other more than \(Self.depthMax) deep")
        .located(set.places[path])
    }
    underway.append(name)
    var inputs: [(reference: FeatureReference, input: CompiledOnDemand.Input, type: DataType)] = []
    for reference in feature.inputs {
      if reference.isOnDemand {
        let index = try add(reference.feature)
        inputs.append((reference, .onDemand(index), features[index].type))
      } else {
        inputs.append((reference, .feature(reference), try typeOf(reference)))
      }
    }
    underway.removeLast()
    do {
      features.append(try CompiledOnDemand(feature, inputs: inputs))
    } catch {
      throw error.located(set.places[DefinitionPath.property(path, "expr")] ?? set.places[path])
    }
    done[name] = features.count - 1
    return features.count - 1
  }

  /// The features with their inputs bound.
  /// - Parameter lookup: where the values of a view's feature are found.
  package func steps(lookup: (FeatureReference) -> Int) -> [OnDemandStep] {
    features.map { feature in
      OnDemandStep(
        feature: feature,
        inputs: feature.inputs.map { input in
          switch input {
          case .feature(let reference): .lookup(lookup(reference))
          case .onDemand(let index): .onDemand(index)
          }
        })
    }
  }
}

extension DefinitionSet {
  /// The features of views that on-demand features read, directly or through others, in order of first use and without repetition.
  package func inputs(ofOnDemand names: [String]) -> [FeatureReference] {
    var seen: Set<FeatureReference> = []
    var result: [FeatureReference] = []
    var waiting = Array(names.reversed())
    var visited: Set<String> = []
    while let name = waiting.popLast() {
      guard visited.insert(name).inserted, let feature = onDemandFeature(named: name) else { continue }
      for reference in feature.inputs where !reference.isOnDemand && seen.insert(reference).inserted { result.append(reference) }
      waiting += feature.inputs.reversed().filter(\.isOnDemand).map(\.feature)
    }
    return result
  }

  /// These on-demand features and all that they read.
  package func closure(ofOnDemand names: [String]) -> Set<String> {
    var visited: Set<String> = []
    var waiting = names
    while let name = waiting.popLast() {
      guard visited.insert(name).inserted, let feature = onDemandFeature(named: name) else { continue }
      waiting += feature.inputs.filter(\.isOnDemand).map(\.feature)
    }
    return visited
  }
}
